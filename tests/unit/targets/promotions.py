"""Releases with an image in a store, to be promoted to a receiver of webhooks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml
from tests.unit.releases.signing_keys import key_pair
from tests.unit.store.stored_bundle import accepted_bundle
from tests.unit.targets.receiver import SECRET, Receiver

from penstock.bundle.models import Image, WeightsFile
from penstock.bundle.verdict_record import RuleResult, Verdict
from penstock.releases.attest import attest
from penstock.releases.baseline import Release
from penstock.releases.envelope import private_key
from penstock.releases.release import publish
from penstock.store.archive import archive
from penstock.store.local import LocalStore

MODEL = "sonic-lite"


def publish_with_image(
    folder: Path,
    store: LocalStore,
    number: int,
    *,
    before: str | None = None,
    key: Path | None = None,
    target: str | None = "studio",
    rules: list[RuleResult] | None = None,
) -> None:
    """``1.NUMBER.0`` of ``run-NUMBER``; its image and weights have digests of the digit NUMBER."""
    run_id = f"run-{number}"
    bundle = accepted_bundle(
        folder / run_id, run_id=run_id, version=f"1.{number}.0", commit=str(number) * 40, baseline=before
    )
    known = {
        "target": target,
        "image": Image(kind="image", url="registry.example.org/sonic", digest=f"sha256:{str(number) * 64}"),
        "weights": [WeightsFile(path="w.onnx", sha256=str(number) * 64, bytes=3, source="lfs")],
    }
    bundle.update_run(bundle.run().model_copy(update=known))
    if rules is not None:
        bundle.write_verdict(Verdict(verdict="pass", baseline=before, level=0.05, rules=rules))
    bundle.seal()
    archive(bundle, store, model=MODEL, run_id=run_id)
    if key is None:
        publish(store, bundle)
        return
    signer = private_key(key)

    def sign(release: Release, time: str) -> None:
        attest(store, bundle, release, signer, time=time)

    publish(store, bundle, sign=sign)


def platform(folder: Path, hook: Receiver, *, keys: bool = False, **more: Any) -> tuple[Path, Path, Path]:
    """``targets.yaml``, the directory of secrets, and the key that signs verdicts."""
    there = folder / "platform"
    private, _ = key_pair(there)
    quick = {"timeout_s": 5.0, "poll_s": 0.01, "allow_http": True}
    target = {"kind": "webhook", "models": [MODEL], "url": hook.url, "secret": "hook"} | quick | more
    content: dict[str, Any] = {"version": 1, "targets": {"studio": target}}
    if keys:
        content["verdict_keys"] = ["penstock.pub"]
    file = there / "targets.yaml"
    file.write_text(yaml.safe_dump(content))
    secrets = folder / "secrets"
    secrets.mkdir(exist_ok=True)
    (secrets / "hook").write_bytes(SECRET + b"\n")
    return file, secrets, private
