"""Asking the service of test-assets/models/recognition-lite."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.sonic_lite.talking_head_service import BOUNDARY, Answer, ask

ROOT = Path(__file__).resolve().parents[2]
MODEL = ROOT / "test-assets" / "models" / "recognition-lite"
BASE = MODEL / "base"


def form_of(content: bytes, name: str = "image.jpg") -> bytes:
    """A form with one file ``image`` of this name, as clients send it: UTF-8."""
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="image"; filename="{name}"\r\n\r\n'
    return head.encode() + content + f"\r\n--{BOUNDARY}--\r\n".encode()


def recognize(url: str, content: bytes, name: str = "image.jpg") -> Answer:
    return ask(f"{url}/recognize", form_of(content, name))


def answered(answer: Answer) -> dict[str, Any]:
    assert answer.status == 200, answer.body
    found: dict[str, Any] = json.loads(answer.body)
    return found


def logged(log: Path) -> list[dict[str, Any]]:
    """The lines of the service's log."""
    return [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
