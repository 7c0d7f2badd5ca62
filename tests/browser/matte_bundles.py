"""A pair of matting bundles with their suite, measured as the step *measure* does: small, with faults that show."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import yaml
from tests.browser.bundles import rule

from penstock.bundle.directory import Bundle
from penstock.bundle.models import Invocation, Run, Source
from penstock.bundle.verdict_record import Verdict
from penstock.contract.load import load_contract, load_suite
from penstock.evaluation.measure import measure

WIDTH, HEIGHT = 240, 180
CASES = ("hair", "glass", "shadow", "jpeg")
SPECK = (200, 40)
"""Where the candidate keeps a piece of background in the case ``hair``: column and row of its middle."""
Pixels = npt.NDArray[Any]


def truth() -> npt.NDArray[np.uint8]:
    """A disc with strands that stand off it."""
    picture = np.zeros((HEIGHT, WIDTH), np.uint8)
    cv2.circle(picture, (110, 100), 55, 255, -1)
    for angle in np.linspace(0, 2 * np.pi, 40):
        end = (int(110 + 75 * np.cos(angle)), int(100 + 75 * np.sin(angle)))
        cv2.line(picture, (110, 100), end, 255, 1, cv2.LINE_AA)
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), 0.8), dtype=np.uint8)


def photo() -> npt.NDArray[np.uint8]:
    """An orange subject before a blue wall."""
    alpha = truth()[:, :, None] / 255
    rows = np.linspace(120, 220, HEIGHT)[:, None, None] * np.ones((1, WIDTH, 1))
    wall = np.concatenate([rows, rows * 0.7, rows * 0.4], axis=2)
    return np.asarray(wall * (1 - alpha) + np.array([40, 120, 235]) * alpha, dtype=np.uint8)


def cutout(alpha: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    return np.dstack([photo(), alpha])


def save(path: Path, picture: Pixels) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    _, data = cv2.imencode(path.suffix, picture)
    path.write_bytes(data.tobytes())


def write_suite(source: Path) -> None:
    """The model's repository: a contract, photos, true mattes."""
    contract = {
        "version": 1,
        "name": "cutter",
        "family": "matting",
        "call": {"command": {"argv": ["python", "cut.py", "{image}", "{output}"], "output": ".png"}},
        "suite": "suite",
        "policy": {"rules": [{"metric": "mae", "max": 0.02}]},
    }
    cases = []
    for name in CASES:
        save(source / "suite" / f"{name}.png", photo())
        save(source / "suite" / f"{name}-truth.png", truth())
        cases.append(
            {"name": name, "inputs": {"image": f"{name}.png"}, "truth": f"{name}-truth.png", "slices": [name, "smoke"]}
        )
    (source / "penstock.yaml").write_text(yaml.safe_dump(contract), encoding="utf-8")
    suite = {"version": 1, "family": "matting", "cases": cases}
    (source / "suite" / "suite.yaml").write_text(yaml.safe_dump(suite), encoding="utf-8")


def write_side(path: Path, source: Path, *, candidate: bool) -> Bundle:
    """One side: the candidate has a speck in ``hair``, loses strands in ``glass`` and answers JPEG in ``jpeg``."""
    bundle = Bundle(path)
    calls = []
    for name in CASES:
        alpha = truth()
        if candidate and name == "hair":
            cv2.circle(alpha, SPECK, 9, 255, -1)
        if candidate and name == "glass":
            alpha[:60] = 0
        if not candidate:
            alpha = np.asarray(cv2.GaussianBlur(alpha, (0, 0), 1.5), dtype=np.uint8)
        output = f"outputs/{name}/output.png"
        save(path / output, cutout(alpha))
        if candidate and name == "jpeg":
            (path / output).write_bytes(cv2.imencode(".jpg", photo())[1].tobytes())
        calls.append(Invocation(case=name, status="ok", output=output, latency_s=0.3))
    bundle.write_invocations(calls)
    version = "1.1.0" if candidate else "1.0.0"
    origin = Source(
        url="https://git.example.org/cutter.git",
        revision=f"v{version}",
        commit="c" * 40,
        committer_date="2026-05-04T09:00:00+00:00",
        version=version,
        tree="7" * 64,
    )
    bundle.update_run(Run(penstock="0.1.0", run_id=f"run-{version}", model="cutter", family="matting", source=origin))
    contract = load_contract(source)
    measure(contract, load_suite(source, contract), bundle, source, workers=1)
    return bundle


def write_matte_pair(folder: Path) -> tuple[Bundle, Bundle, Path]:
    """Candidate, baseline, and the repository with their suite; the candidate has a verdict."""
    source = folder / "source"
    write_suite(source)
    candidate = write_side(folder / "candidate", source, candidate=True)
    baseline = write_side(folder / "baseline", source, candidate=False)
    change = {"baseline": 0.004, "candidate": 0.02, "change": 0.016, "interval": (0.004, 0.03), "n": 3}
    mae = rule("mae", "fail", "MAE rose from 0.004 to 0.020, more than the allowed +10 %", "no more than +10 %")
    candidate.write_verdict(
        Verdict(
            verdict="fail",
            baseline="run-1.0.0",
            candidate="run-1.1.0",
            level=0.05,
            rules=[mae.model_copy(update=change)],
        )
    )
    return candidate, baseline, source
