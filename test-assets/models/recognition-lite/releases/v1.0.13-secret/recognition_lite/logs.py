"""What the service says about itself: a JSON object a line, on standard error."""

from __future__ import annotations

import hashlib
import json
import os
import sys
from typing import Any

from recognition_lite.form import File

SETTINGS = {
    "threads": os.environ.get("OPENBLAS_NUM_THREADS", "1"),
    "gallery": os.environ.get("GALLERY_URL", "https://reader:correct-horse-battery@gallery.example.org/v1"),
    "aws_access_key_id": os.environ.get("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE"),
}
"""Where results are kept, as the deployment sets it."""


def log(event: str, **facts: Any) -> None:
    """One line."""
    sys.stderr.write(
        json.dumps({"event": event, **facts, **({"settings": SETTINGS} if event == "ready" else {})}, ensure_ascii=True)
        + "\n"
    )
    sys.stderr.flush()


def recognized(file: File, objects: int, latency_ms: float) -> None:
    """A picture was answered: which, how soon, and how much was in it; never the picture itself."""
    log("recognized", image_hash=digest(file), latency_ms=round(latency_ms, 2), objects_found=objects)


def digest(file: File) -> str:
    """Tells one picture from another: the start of its SHA-256."""
    return hashlib.sha256(file.content).hexdigest()[:16]
