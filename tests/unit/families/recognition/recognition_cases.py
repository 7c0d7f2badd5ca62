"""Pictures, cases and answers for tests of the family."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from penstock.families.recognition.case import RecognitionCase

GOOD: dict[str, Any] = {
    "objects": [
        {"label": "Cup", "confidence": 0.9, "box": [10, 10, 20, 20]},
        {"label": "书", "confidence": 0.6, "box": [40, 10, 15, 30]},
    ],
    "description": "A cup and a book.",
    "text": "出口 Exit",
    "latency_ms": 12.5,
}


def picture(folder: Path, size: tuple[int, int] = (80, 60)) -> Path:
    """A grey PNG."""
    path = folder / "a.png"
    cv2.imwrite(str(path), np.full((size[1], size[0], 3), 120, np.uint8))
    return path


def answer_file(folder: Path, content: Any) -> Path:
    """What came back: JSON of a value, or bytes as they are."""
    path = folder / "output.json"
    path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
    return path


def table(folder: Path, text: str = "zh: {book: [书, 书本]}\nen: {cup: [mug]}\n") -> Path:
    """Synonyms."""
    path = folder / "synonyms.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def case(**fields: Any) -> RecognitionCase:
    """A case with a picture."""
    return RecognitionCase.model_validate({"name": "a", "inputs": {"image": "a.png"}, **fields})
