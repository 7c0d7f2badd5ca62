"""A repository with a suite of small pictures."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import yaml

CONTRACT = {
    "version": 1,
    "name": "cutter",
    "family": "matting",
    "weights": [],
    "call": {"command": {"argv": ["python3", "cut.py", "{image}", "{output}"], "output": ".png"}},
    "suite": "suite",
    "policy": {"rules": [{"metric": "mae", "margin": 0.01, "direction": "lower"}, {"metric": "sad", "max": 10}]},
}


def picture(number: int) -> np.ndarray:
    """Another one for each number."""
    draw = np.random.default_rng(number)
    small = draw.integers(0, 256, (8, 8, 3), dtype=np.uint8)
    return cv2.resize(small, (64, 64), interpolation=cv2.INTER_CUBIC)


def write_repository(folder: Path, cases: list[dict[str, object]], **suite: object) -> Path:
    """Cases of ``picture-N.png`` that are there, and of any other files that the test has written."""
    (folder / "suite").mkdir(parents=True, exist_ok=True)
    for number in range(4):
        cv2.imwrite(str(folder / "suite" / f"picture-{number}.png"), picture(number))
        cv2.imwrite(str(folder / "suite" / f"matte-{number}.png"), picture(number)[:, :, 0])
    (folder / "penstock.yaml").write_text(yaml.safe_dump(CONTRACT, sort_keys=False))
    content = {"version": 1, "family": "matting", "cases": cases, **suite}
    (folder / "suite" / "suite.yaml").write_text(yaml.safe_dump(content, sort_keys=False))
    return folder


def case(name: str, image: str = "picture-0.png", **more: object) -> dict[str, object]:
    """One case."""
    return {"name": name, "inputs": {"image": image}, "truth": "matte-0.png", **more}
