"""Asking the service of test-assets/models/rmbg-lite."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
from tests.sonic_lite.talking_head_service import Answer, ask

ROOT = Path(__file__).resolve().parents[2]
MODEL = ROOT / "test-assets" / "models" / "rmbg-lite"
BASE = MODEL / "base"

Pixels = npt.NDArray[np.uint8]


def remove_background(url: str, content: bytes) -> Answer:
    body = json.dumps({"image": base64.b64encode(content).decode()}).encode()
    return ask(f"{url}/api/remove-bg", body, content_type="application/json")


def picture_in(answer: Answer) -> bytes:
    assert answer.status == 200, answer.body
    return base64.b64decode(json.loads(answer.body)["image"], validate=True)


def rgba(content: bytes) -> Pixels:
    """uint8 ``(h, w, 4)``, RGB and alpha, of a PNG that has alpha."""
    assert content.startswith(b"\x89PNG\r\n\x1a\n")
    found = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED)
    assert found.ndim == 3
    assert found.shape[2] == 4
    return np.ascontiguousarray(found[..., [2, 1, 0, 3]])
