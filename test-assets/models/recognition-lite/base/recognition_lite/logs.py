"""What the service says about itself: a JSON object a line, on standard error."""

from __future__ import annotations

import hashlib
import json
import sys
from typing import Any

from recognition_lite.form import File


def log(event: str, **facts: Any) -> None:
    """One line."""
    sys.stderr.write(json.dumps({"event": event, **facts}, ensure_ascii=True) + "\n")
    sys.stderr.flush()


def recognized(file: File, objects: int, latency_ms: float) -> None:
    """A picture was answered: which, how soon, and how much was in it; never the picture itself."""
    log("recognized", image_hash=digest(file), latency_ms=round(latency_ms, 2), objects_found=objects)


def digest(file: File) -> str:
    """Tells one picture from another: the start of its SHA-256."""
    return hashlib.sha256(file.content).hexdigest()[:16]
