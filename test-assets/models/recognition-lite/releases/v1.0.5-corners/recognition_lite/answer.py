"""What ``POST /recognize`` answers."""

from __future__ import annotations

from typing import Any

from recognition_lite import vocabulary
from recognition_lite.describe import describe
from recognition_lite.objects import Box, Found


def answer(found: list[Found], text: str, size: tuple[int, int], latency_ms: float) -> dict[str, Any]:  # noqa: ARG001
    """As JSON. size: the picture's width and height in pixels."""
    return {
        "objects": [
            {
                "label": vocabulary.label(one.label),
                "confidence": round(one.confidence, 4),
                "box": placed(one.box),
            }
            for one in found
        ],
        "description": describe(found, text),
        "text": text,
        "latency_ms": round(latency_ms, 2),
    }


def placed(box: Box) -> list[float]:
    """The corners in pixels, to a tenth: left, top, right, bottom."""
    x, y, width, height = box
    return [round(side, 1) for side in (x, y, x + width, y + height)]
