"""Publish what holds: by digest, and move the baseline. Only on pass."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from penstock.bundle.directory import Bundle
from penstock.errors import UsageError
from penstock.sources.image import tag_image
from penstock.sources.registry import authfile
from penstock.store.release import publish
from penstock.store.store import open_store
from penstock.tekton.step import log, param, run_step, workspace


@dataclass(frozen=True)
class Arguments:
    """Publish the release."""

    verdict: str = param("the gate's verdict; anything but pass is refused")
    store: str = param("where releases are kept: a directory or s3://bucket/prefix")
    tls_verify: bool = param("the registry has a certificate", default=True)
    bundle: Path = workspace("the run's bundle")
    store_credentials: Path | None = workspace("for S3", optional=True)
    registry_credentials: Path | None = workspace("config.json of the registry", optional=True)


RESULTS: tuple[str, ...] = ("uri", "digest")


def step(arguments: Arguments) -> dict[str, str]:
    """Refuse anything but a pass, then publish by digest."""
    if arguments.verdict != "pass":
        raise UsageError(
            f"the verdict is '{arguments.verdict}', not 'pass'", where="publish", todo="Only what holds is published."
        )
    store = open_store(arguments.store, arguments.store_credentials)
    published = publish(
        store,
        Bundle(arguments.bundle),
        tag=partial(tag_image, tls_verify=arguments.tls_verify, authfile=authfile(arguments.registry_credentials)),
    )
    log("published", uri=published.uri, digest=published.digest)
    return {"uri": published.uri, "digest": published.digest}


def main(argv: Sequence[str] | None = None) -> int:
    """Console script ``penstock-publish``."""
    return run_step("publish", Arguments, RESULTS, step, argv)


if __name__ == "__main__":
    sys.exit(main())
