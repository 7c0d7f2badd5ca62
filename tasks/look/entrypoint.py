"""What is released of a model, and whether an image has passed: asked on the cluster, by an account without any right.

What the commands ``penstock releases`` and ``penstock verify`` say, for pipelines of others: nothing is changed.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from penstock.foundation.errors import UsageError
from penstock.releases.envelope import public_key
from penstock.releases.history import history
from penstock.releases.trusted_weights import trusted_keys
from penstock.releases.verified_image import hold_provenance, named_image, verify_image
from penstock.sources.image_registry import authfile
from penstock.steps.entrypoint import log, param, run_step, workspace
from penstock.store.open import existing_store
from penstock.store.store import Store


@dataclass(frozen=True)
class Arguments:
    """Say which releases a model has, or verify an image; nothing is changed."""

    what: str = param("releases or verify")
    store: str = param("where releases are kept: a directory or s3://bucket/prefix")
    model: str = param("with releases: the model's name", default="")
    image: str = param("with verify: IMAGE@sha256:DIGEST", default="")
    tls_verify: bool = param("the registry has a certificate", default=True)
    store_credentials: Path | None = workspace("for S3", optional=True)
    verdict_keys: Path | None = workspace("with verify: public keys in PEM, a file each", optional=True)
    provenance_keys: Path | None = workspace("the builder's, likewise: its provenance is asked for", optional=True)
    registry_credentials: Path | None = workspace("config.json of the registry", optional=True)


RESULTS: tuple[str, ...] = ("current", "image", "found")
MAX_FOUND_BYTES = 400
"""All results of a step share 1 KiB."""


def step(arguments: Arguments) -> dict[str, str]:
    """Look, and return what is there.

    With *releases*: the current version, its image by digest, and the versions that were not withdrawn, the newest
    first, as far as a result can hold them. With *verify*: the image, and ``MODEL VERSION`` of each verdict that holds;
    the step is red where none does.
    """
    if arguments.what not in ("releases", "verify"):
        raise UsageError(f"there is no '{arguments.what}'", where="what", todo="Say one of: releases, verify.")
    store = existing_store(arguments.store, arguments.store_credentials)
    return _releases(store, arguments.model) if arguments.what == "releases" else _verified(store, arguments)


def _releases(store: Store, model: str) -> dict[str, str]:
    if not model:
        raise UsageError("no model is named", where="model", todo="Say --param model=NAME.")
    found = history(store, model)
    for line in found.releases:
        release, gone = line.release, line.withdrawn
        state = "withdrawn" if gone else "current" if line.current else "waits" if line.waits else "earlier"
        log("release", version=release.version, state=state, commit=release.commit, image=release.image.digest)
    image = next((line.release.image for line in found.releases if line.current), None)
    versions = [line.release.version for line in found.releases if line.withdrawn is None]
    named = f"{image.url}@{image.digest}" if image is not None and image.kind == "image" else ""
    return {"current": found.current.current_version or "", "image": named, "found": _fitting(versions)}


def _verified(store: Store, arguments: Arguments) -> dict[str, str]:
    image = named_image(arguments.image)
    if arguments.verdict_keys is None:
        todo = "Bind the platform's: --workspace name=verdict-keys,config=NAME."
        raise UsageError("no key is given", where="workspace verdict-keys", todo=todo)
    files = sorted(path for path in arguments.verdict_keys.iterdir() if not path.name.startswith("."))
    keys = {path.name: public_key(path) for path in files}
    proofs = verify_image(store, image, keys, today=datetime.now(UTC).date())
    if arguments.provenance_keys is not None:
        proofs, _ = hold_provenance(
            image,
            proofs,
            trusted_keys(arguments.provenance_keys),
            tls_verify=arguments.tls_verify,
            authfile=authfile(arguments.registry_credentials),
            where="workspace provenance-keys",
        )
    said = list(dict.fromkeys(f"{proof.pair.model} {proof.pair.version}" for proof in proofs))
    for one in said:
        log("verified", release=one, image=image.digest)
    return {"current": "", "image": arguments.image, "found": _fitting(said)}


def _fitting(texts: Sequence[str]) -> str:
    """A JSON list of the first of them, as many as fit."""
    for count in range(len(texts), -1, -1):
        text = json.dumps(texts[:count], ensure_ascii=False)
        if len(text.encode()) <= MAX_FOUND_BYTES:
            return text
    raise AssertionError("an empty list fits")


def main(argv: Sequence[str] | None = None) -> int:
    """Console script ``penstock-look``."""
    return run_step("look", Arguments, RESULTS, step, argv)


if __name__ == "__main__":
    sys.exit(main())
