"""The secrets of targets: files of one directory, as a mounted Secret has them. They are never shown."""

from __future__ import annotations

from pathlib import Path

from penstock.foundation.errors import UsageError
from penstock.foundation.files import read_regular

MAX_SECRET_BYTES = 64 << 10


def read_secret(folder: Path | None, name: str, *, least: int = 1) -> bytes:
    """The content of a secret, without the line end that editors add.

    Args:
        folder: the secrets; ``None``: none were given.
        name: which; a plain name, as ``targets.yaml`` may say.
        least: so many bytes it has.

    Raises:
        UsageError: it is not there, too short or too long.
    """
    where = f"secret '{name}'"
    if folder is None:
        todo = "Give the directory that holds them: --secrets DIR, on a cluster the workspace target-secrets."
        raise UsageError("the target needs it, and no secrets were given", where=where, todo=todo)
    if not (folder / name).is_file():
        raise UsageError("the directory of the secrets has no such file", where=where, todo=f"Put it into {folder}.")
    content = read_regular(folder / name, max_bytes=MAX_SECRET_BYTES, where=where).rstrip(b"\r\n")
    if len(content) < least:
        todo = "Make one: openssl rand -hex 32" if least > 1 else ""
        raise UsageError(f"it is shorter than {least} bytes", where=where, todo=todo)
    return content
