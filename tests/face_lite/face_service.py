"""Starting and asking the service of test-assets/models/face-lite."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from tests.sonic_lite.talking_head_service import Answer, Running, ask, form

ROOT = Path(__file__).resolve().parents[2]
MODEL = ROOT / "test-assets" / "models" / "face-lite"
BASE = MODEL / "base"
CHINESE = "照片/身份证-张伟.jpg"


class Serving(Running):
    """The service of one release, ready."""

    def __init__(self, directory: Path, scratch: Path, variables: Mapping[str, str] | None = None) -> None:
        super().__init__(directory, scratch, variables)
        self.wait_ready("/health")

    def events(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.log.read_text().splitlines()]


def feature(url: str, content: bytes) -> Answer:
    return ask(f"{url}/feature", form({}, {"image": content}))


def compare(url: str, first: bytes, second: bytes) -> Answer:
    return ask(f"{url}/compare", form({}, {"image1": first, "image2": second}))


def said(answer: Answer) -> dict[str, Any]:
    assert answer.status == 200, answer.body
    found = json.loads(answer.body)
    assert isinstance(found, dict)
    return found


def vector(answer: Answer) -> npt.NDArray[np.float64]:
    found = np.array(said(answer)["feature"])
    assert found.shape == (512,)
    assert math.isclose(np.linalg.norm(found), 1, abs_tol=1e-4)
    return found
