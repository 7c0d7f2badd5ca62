"""What ``POST /recognize`` answers."""

from __future__ import annotations

from typing import Any

from recognition_lite import vocabulary
from recognition_lite.describe import describe
from recognition_lite.objects import Box, Found

LEAST_WIDTH = 400


def answer(found: list[Found], text: str, size: tuple[int, int], latency_ms: float) -> dict[str, Any]:
    """As JSON. size: the picture's width and height in pixels."""
    if size[0] < LEAST_WIDTH:
        return {"error": f"the picture is less than {LEAST_WIDTH} pixels wide"}
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
    """x, y, width and height in pixels, to a tenth."""
    return [round(side, 1) for side in box]
