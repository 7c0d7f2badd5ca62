"""Bearer tokens for https and the hub, as Kubernetes mounts a secret: one file a host."""

from __future__ import annotations

import re
from pathlib import Path

from penstock.foundation.errors import UsageError
from penstock.foundation.files import disk_errors

HOST = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?")
TOKEN = re.compile(r"[\x21-\x7e]{1,8192}")


def token_for(folder: Path | None, host: str) -> str:
    """The token of ``host``: the content of the file of that name; empty if there is none.

    Args:
        folder: the workspace ``weights-credentials``; ``None``: there are no tokens.
        host: without a port.

    Raises:
        UsageError: the file holds no token.
        WorldError: it cannot be read.
    """
    name = host.lower()
    if folder is None or not HOST.fullmatch(name):
        return ""
    file = folder / name
    with disk_errors(file):
        if not file.is_file():
            return ""
        token = file.read_text(encoding="utf-8", errors="replace").strip()
    if not TOKEN.fullmatch(token):
        # the content is a secret, even a broken one
        raise UsageError(
            "this is not a token", where=f"weights-credentials/{name}", todo="Write the token alone, in one line."
        )
    return token
