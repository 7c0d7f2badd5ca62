"""Store the evidence, whatever the verdict; the manifest last."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from penstock.bundle.directory import Bundle
from penstock.foundation.files import sha256_file
from penstock.releases.quick_track import VERIFY
from penstock.steps.entrypoint import log, param, run_step, workspace
from penstock.store.archive import archive, run_key
from penstock.store.open import open_store
from penstock.store.pull_key import pull_key
from penstock.tracking.tracking_attempt import attempt_tracking


@dataclass(frozen=True)
class Arguments:
    """Archive the bundle to the store."""

    store: str = param("where evidence is kept: a directory or s3://bucket/prefix")
    pull_request: str = param("on the verify track: number of the pull request that the run is of", default="")
    fork: bool = param(
        "on the verify track: the code is a fork's, so that its evidence lies below forks/", default=False
    )
    bundle: Path = workspace("the run's bundle")
    store_credentials: Path | None = workspace("for S3", optional=True)
    mlflow: Path | None = workspace("files 'url', and if need be 'token', or 'username' and 'password'", optional=True)


RESULTS: tuple[str, ...] = ("uri", "digest")


def step(arguments: Arguments) -> dict[str, str]:
    """Seal the bundle and copy it, checked by content."""
    bundle = Bundle(arguments.bundle)
    run = bundle.run()
    store = open_store(arguments.store, arguments.store_credentials)
    root = run_key(run.model, run.run_id)
    if run.track == VERIFY:
        root = pull_key(run.model, run.run_id, number=arguments.pull_request, fork=arguments.fork)
    archived = archive(bundle, store, model=run.model, run_id=run.run_id, root=root)
    log("archived", uri=archived.uri, files=archived.files, uploaded=archived.uploaded, bytes=archived.bytes)
    if arguments.mlflow is not None:
        why_not = attempt_tracking(arguments.mlflow, store=store, model=run.model, bundle=bundle, evidence=archived.uri)
        log("not tracked", error=why_not) if why_not else log("tracked", run=run.run_id)
    return {"uri": archived.uri, "digest": sha256_file(bundle.manifest_file)}


def main(argv: Sequence[str] | None = None) -> int:
    """Console script ``penstock-archive``."""
    return run_step("archive", Arguments, RESULTS, step, argv)


if __name__ == "__main__":
    sys.exit(main())
