"""What the service says about itself: a JSON object a line, on standard error."""

from __future__ import annotations

import json
import sys
from typing import Any

from recognition_lite.form import File


def log(event: str, **facts: Any) -> None:
    """One line."""
    sys.stderr.write(json.dumps({"event": event, **facts}, ensure_ascii=True) + "\n")
    sys.stderr.flush()


def recognized(file: File, objects: int, latency_ms: float) -> None:  # noqa: ARG001
    """A picture was answered."""
    log("recognized", ms=round(latency_ms))
