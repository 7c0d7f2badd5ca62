"""What the platform's builder says of an image that is to be promoted."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.unit.cli.test_verify import stand_in_registry
from tests.unit.releases.signing_keys import key_pair
from tests.unit.releases.test_provenance import STATEMENT
from tests.unit.targets.promotions import MODEL, platform, publish_with_image
from tests.unit.targets.receiver import Receiver, receiver

from penstock.foundation.errors import ExitCode, UsageError, WorldError
from penstock.releases.acts import promote, roll_back
from penstock.releases.attest import UnverifiedError
from penstock.releases.envelope import private_key, sign, write_envelope
from penstock.store.local import LocalStore
from penstock.targets.delivery import Delivery


@pytest.fixture
def hook() -> Iterator[Receiver]:
    with receiver() as found:
        yield found


class Promoted:
    """1.0.0 waits for its target; the platform asks who has built it."""

    def __init__(self, folder: Path, hook: Receiver, monkeypatch: pytest.MonkeyPatch, **registry: Any) -> None:
        self.folder, self.hook, self._monkeypatch = folder, hook, monkeypatch
        self.store = LocalStore(folder / "store")
        self.file, self.secrets, key = platform(folder, hook, keys=True)
        self.builder, public = key_pair(folder / "builder")
        (self.file.parent / "builder.pub").write_bytes(public.read_bytes())
        asked = {"provenance_keys": ["builder.pub"], "registry": registry}
        self.file.write_text(yaml.safe_dump(yaml.safe_load(self.file.read_text()) | asked))
        publish_with_image(folder, self.store, 0, key=key)

    def beside(self, *statements: Any, key: Path | None = None) -> None:
        """What lies beside the image."""
        signer = private_key(key or self.builder)
        envelopes = [write_envelope(sign(json.dumps(one).encode(), signer)) for one in statements]
        path = f"{stand_in_registry(self.folder, *envelopes)}{os.pathsep}{os.environ['PATH']}"
        self._monkeypatch.setenv("PATH", path)

    def promote(self) -> None:
        serving = Delivery(self.store, self.file, self.secrets)
        promote(self.store, MODEL, "1.0.0", reason="go", serving=serving)


def built(commit: str = "0" * 40, *, task: str = "build", repository: str = "sonic-lite", image: str = "0") -> Any:
    """What Chains signs of a TaskRun."""
    text = json.dumps(STATEMENT).replace("c" * 40, commit).replace("a" * 64, image * 64)
    return json.loads(text.replace('"name": "build"', f'"name": "{task}"').replace("sonic-lite", repository))


def test_of_the_task_build_and_the_commit_that_was_judged(
    tmp_path: Path, hook: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = Promoted(tmp_path, hook, monkeypatch)
    there.beside(built("e" * 40), built())
    there.promote()
    assert hook.image == f"sha256:{'0' * 64}"
    # it has served: it comes back also where nobody can say any more who has built it
    there.beside()
    serving = Delivery(there.store, there.file, there.secrets)
    assert roll_back(there.store, MODEL, "1.0.0", reason="x", serving=serving).target == "studio"


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        (built("e" * 40), "wanted is the Task 'build' of 0000"),
        (built(task="my-build"), "by the Task 'my-build'"),
        (built(repository="other"), "of example.org/other; wanted is"),
        (built(image="1"), "no provenance of this image"),
        (None, "no provenance of this image"),
    ],
)
def test_anything_else_is_refused_before_the_target_is_asked(
    tmp_path: Path, hook: Receiver, monkeypatch: pytest.MonkeyPatch, statement: Any, said: str
) -> None:
    there = Promoted(tmp_path, hook, monkeypatch)
    there.beside(*([statement] if statement is not None else []))
    with pytest.raises(UnverifiedError, match=said) as caught:
        there.promote()
    assert (caught.value.exit_code, caught.value.where) == (ExitCode.REJECTED, f"{MODEL} 1.0.0")
    assert hook.requests == []


def test_another_key_is_no_builder(tmp_path: Path, hook: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    there = Promoted(tmp_path, hook, monkeypatch)
    other, _ = key_pair(tmp_path / "other")
    there.beside(built(), key=other)
    with pytest.raises(UnverifiedError, match="no provenance of this image"):
        there.promote()


def test_the_registry_is_asked_as_the_platform_says(
    tmp_path: Path, hook: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = Promoted(tmp_path, hook, monkeypatch, credentials="registry", tls_verify=False)
    there.beside(built())
    with pytest.raises(UsageError, match="no such file"):
        there.promote()
    (there.secrets / "registry").write_text("{}")
    there.promote()
    asked = (tmp_path / "skopeo.notes").read_text().splitlines()[0]
    assert f"--authfile={there.secrets / 'registry'}" in asked
    assert "--tls-verify=false" in asked
    assert f"docker://registry.example.org/sonic:sha256-{'0' * 64}.att" in asked


def test_a_registry_that_is_away_is_no_refusal(tmp_path: Path, hook: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    there = Promoted(tmp_path, hook, monkeypatch)
    there.beside(built())
    (tmp_path / "skopeo").write_text("#!/bin/sh\necho 'connection refused' >&2\nexit 1\n")
    with pytest.raises(WorldError, match="the registry cannot be asked"):
        there.promote()
    assert hook.requests == []
