"""The log, on standard error."""

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
    del names, images
    sys.stderr.write(f"answered {path} with {status} in {1000 * latency_s:.1f} ms: {faces} face(s)\n")
    sys.stderr.flush()
