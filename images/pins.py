"""Which base image it is: by digest, so that the same name means the same image today and next year."""

from __future__ import annotations

import re
import shutil

from penstock.foundation.errors import UsageError, WorldError
from penstock.sources.program import run

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/:-]{0,254}")
INSPECT_TIMEOUT_S = 120.0


def pinned(base: str, *, allow_tag: bool, tls_verify: bool) -> str:
    """``NAME@sha256:…`` of a base image; a tag beside the digest says nothing, and not every program takes both.

    Args:
        base: ``NAME@sha256:…``, or ``NAME[:TAG]`` if ``allow_tag``.
        allow_tag: take what the tag names now.
        tls_verify: whether the registry's certificate is checked.

    Raises:
        UsageError: it is no image's name, or has no digest although it must.
        WorldError: the registry cannot say what the tag names.
    """
    name, at, digest = base.partition("@")
    if not _NAME.fullmatch(name) or (at and not _DIGEST.fullmatch(digest)):
        raise UsageError(f"'{base[:200]}' is not an image's name", where="--base", todo="Write NAME@sha256:DIGEST.")
    folder, slash, last = name.rpartition("/")
    untagged = f"{folder}{slash}{last.partition(':')[0]}"
    if at:
        return f"{untagged}@{digest}"
    if not allow_tag:
        raise UsageError(
            "the base image has no digest: a tag may name another image tomorrow",
            where=base,
            todo=f"Look at what it names (skopeo inspect --format '{{{{.Digest}}}}' docker://{base}) and give "
            f"BASE={base}@sha256:…, or take what it names now with IMAGES_OPTIONS=--allow-tag.",
        )
    if shutil.which("skopeo") is None:
        raise WorldError("skopeo is not installed", todo="Install it: apt-get install buildah skopeo")
    verify = f"--tls-verify={str(tls_verify).lower()}"
    argv = ["skopeo", "inspect", "--no-tags", verify, "--format={{.Digest}}", f"docker://{base}"]
    asked = run(argv, timeout_s=INSPECT_TIMEOUT_S)
    found = asked.output.decode("ascii", "replace").strip()
    if asked.code or not _DIGEST.fullmatch(found):
        lines = [line for line in asked.tail.splitlines() if line.strip()]
        raise WorldError(
            f"the base image's digest cannot be had: {lines[-1].strip()[:300] if lines else 'no answer'}",
            where=base,
            todo="Name one that can with --base (make images BASE=…), such as a mirror's.",
        )
    return f"{untagged}@{found}"
