"""A small repository of a model that removes backgrounds, whole, for tests to break."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import yaml
from tests.unit.families.matting.drawn_mattes import disc, save

ARGV = ["python", "cut.py", "{image}", "{output}"]


def matting_repository(
    root: Path,
    *,
    truths: Sequence[str] = ("t1.png", "t2.png"),
    rule: dict[str, Any] | None = None,
    case: dict[str, Any] | None = None,
) -> Path:
    """One case with a photo in ``suite/photo`` and its truths in ``suite/truth``."""
    contract = {
        "version": 1,
        "name": "cutter",
        "family": "matting",
        "call": {"command": {"argv": ARGV, "output": ".png"}},
        "suite": "suite",
        "policy": {"rules": [rule or {"metric": "mae", "margin": "1 floor"}]},
    }
    first = {"name": "a", "inputs": {"image": "photo/a.png"}, "truth": [f"truth/{name}" for name in truths]}
    suite = {"version": 1, "family": "matting", "cases": [first | (case or {})]}
    save(root / "suite" / "photo" / "a.png", cv2.cvtColor(255 - disc(), cv2.COLOR_GRAY2BGR))
    for number, name in enumerate(truths):
        save(root / "suite" / "truth" / name, np.asarray(disc() - number * (disc() // 10), dtype=np.uint8))
    (root / "penstock.yaml").write_text(yaml.safe_dump(contract), encoding="utf-8")
    (root / "suite" / "suite.yaml").write_text(yaml.safe_dump(suite), encoding="utf-8")
    (root / "Containerfile").write_text("FROM scratch\n", encoding="utf-8")
    (root / "cut.py").write_text("", encoding="utf-8")
    return root
