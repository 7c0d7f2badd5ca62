"""Publish what holds: by digest, and move the baseline. Only on pass."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from penstock.bundle.directory import Bundle
from penstock.foundation.errors import UsageError
from penstock.releases.attest import attest, signed_envelope, signed_verdict
from penstock.releases.attestation import PREDICATE_TYPE
from penstock.releases.baseline import Release
from penstock.releases.envelope import private_key
from penstock.releases.release import publish
from penstock.releases.signed_sbom import SBOM_TYPE, attest_sbom
from penstock.sources.image import tag_image
from penstock.sources.image_attestation import attach_statement
from penstock.sources.image_registry import authfile
from penstock.steps.entrypoint import log, param, run_step, workspace
from penstock.store.open import open_store
from penstock.tracking.tracking_attempt import attempt_tracking


@dataclass(frozen=True)
class Arguments:
    """Publish the release."""

    verdict: str = param("the gate's verdict; anything but pass is refused")
    store: str = param("where releases are kept: a directory or s3://bucket/prefix")
    tls_verify: bool = param("the registry has a certificate", default=True)
    by: str = param("who releases, for the log of releases; empty, the account that runs it", default="")
    bundle: Path = workspace("the run's bundle")
    store_credentials: Path | None = workspace("for S3", optional=True)
    registry_credentials: Path | None = workspace("config.json of the registry", optional=True)
    mlflow: Path | None = workspace("files 'url', and if need be 'token', or 'username' and 'password'", optional=True)
    signing_key: Path | None = workspace("penstock.key: what verdicts are signed with", optional=True)


RESULTS: tuple[str, ...] = ("uri", "digest")
KEY_FILE = "penstock.key"
REQUEST_FILE = "request.json"
"""Beside the bundle of a run on one machine."""


def step(arguments: Arguments) -> dict[str, str]:
    """Refuse anything but a pass, then publish by digest."""
    if arguments.verdict != "pass":
        raise UsageError(
            f"the verdict is '{arguments.verdict}', not 'pass'", where="publish", todo="Only what holds is published."
        )
    sign = _signer(arguments)
    store, bundle = open_store(arguments.store, arguments.store_credentials), Bundle(arguments.bundle)
    published = publish(
        store,
        bundle,
        sign=sign,
        tag=partial(tag_image, tls_verify=arguments.tls_verify, authfile=authfile(arguments.registry_credentials)),
        again=_again(bundle),
        by=arguments.by,
    )
    log("published", uri=published.uri, digest=published.digest)
    if arguments.mlflow is not None:
        model = bundle.run().model
        why_not = attempt_tracking(arguments.mlflow, store=store, model=model)
        log("not tracked", error=why_not) if why_not else log("tracked", release=published.version)
    return {"uri": published.uri, "digest": published.digest}


def _signer(arguments: Arguments) -> Callable[[Release, str], None] | None:
    """What signs, if there is a key; one that is no key stops the step before anything is published."""
    if arguments.signing_key is None:
        return None
    key = private_key(arguments.signing_key / KEY_FILE)

    def sign(release: Release, time: str) -> None:
        bundle = Bundle(arguments.bundle)
        store = open_store(arguments.store, arguments.store_credentials)
        log("signed", uri=attest(store, bundle, release, key, time=time))
        verdict = signed_verdict(store, release, key.public_key())
        beside = {PREDICATE_TYPE: signed_envelope(store, release, key.public_key())}
        sbom = attest_sbom(store, bundle, release, verdict, key)
        if sbom is not None:
            beside[SBOM_TYPE] = sbom
        if release.image.kind != "image":
            return
        access = authfile(arguments.registry_credentials)
        for kind, envelope in beside.items():
            if attach_statement(release.image, envelope, kind, tls_verify=arguments.tls_verify, authfile=access):
                log("attached", image=f"{release.image.url}@{release.image.digest}", kind=kind)

    return sign


def _again(bundle: Bundle) -> str:
    """What to type once another model was released since the gate compared."""
    run, rerun = bundle.run(), bundle.verdict().comparison == "rerun"
    source = run.source
    if (bundle.path.parent / REQUEST_FILE).is_file() and source is not None:  # on one machine: OUT/runs/NAME/bundle
        words = ["penstock", "run", "release", "--out", str(bundle.path.parents[2])]
        words += ["--repo", source.url, "--revision", source.revision] if rerun else ["--regate", run.run_id]
    else:
        words = ["tkn", "pipeline", "start", "release", "--use-pipelinerun", run.run_id]
        words += [] if rerun else ["--param", f"regate={run.run_id}"]
    why = "The released model has to run beside it again" if rerun else "Have its outputs judged against that one"
    return f"{why}: {shlex.join(words)}"


def main(argv: Sequence[str] | None = None) -> int:
    """Console script ``penstock-publish``."""
    return run_step("publish", Arguments, RESULTS, step, argv)


if __name__ == "__main__":
    sys.exit(main())
