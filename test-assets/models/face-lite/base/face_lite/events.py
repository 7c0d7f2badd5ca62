"""The log: one JSON line an event, on standard error."""

from __future__ import annotations

import hashlib
import json
import sys
from typing import Any


def log(event: str, **facts: Any) -> None:
    """Write one line."""
    sys.stderr.write(json.dumps({"event": event, **facts}, ensure_ascii=True) + "\n")
    sys.stderr.flush()


def image_hash(content: bytes) -> str:
    """Says which image it was, and not what was on it."""
    return hashlib.sha256(content).hexdigest()[:16]


def answered(path: str, images: list[bytes], names: list[str], latency_s: float, faces: int, status: int) -> None:
    """Photographs that were looked at; 422: there was no face.

    ``names`` are the files' own, and not for the log: they may name people.
    """
    del names
    log(
        "answered",
        path=path,
        image_hash=",".join(image_hash(content) for content in images),
        latency_ms=round(1000 * latency_s, 1),
        faces_found=faces,
        status=status,
    )
