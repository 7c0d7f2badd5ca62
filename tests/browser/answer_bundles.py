"""Pairs of bundles of faces and of recognitions with their suites, measured as the step *measure* does.

Names and labels are hostile here and there: markup, a line that turns its direction, very long ones, Chinese.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import yaml
from tests.browser.bundles import rule

from penstock.bundle.directory import Bundle
from penstock.bundle.models import Invocation, Run, Source
from penstock.bundle.verdict_record import Verdict
from penstock.contract.load import load_contract, load_suite
from penstock.evaluation.measure import measure

PEOPLE, IMAGES = 8, 3
NAMES = ("<b>Ann</b>", "王小明", "Zoë\u202eevil", "p" * 120, *(f"person {n}" for n in range(4, PEOPLE)))
SIGN = (100, 60, 120, 50)
"""Where the sign stands, in pixels of 320 × 240."""
WRONG_LABEL = "<img src=x onerror=alert(1)>" + "龍" * 40


def save(path: Path, picture: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(cv2.imencode(path.suffix, picture)[1].tobytes())


def write_contract(source: Path, family: str, cases: list[dict[str, Any]], call: Mapping[str, Any]) -> None:
    contract = {
        "version": 1,
        "name": family,
        "family": family,
        "call": call,
        "suite": "suite",
        "policy": {"rules": [{"metric": "latency", "max": 9}]},
    }
    (source / "suite").mkdir(parents=True, exist_ok=True)
    (source / "penstock.yaml").write_text(yaml.safe_dump(contract), encoding="utf-8")
    suite = yaml.safe_dump({"version": 1, "family": family, "cases": cases}, allow_unicode=True)
    (source / "suite" / "suite.yaml").write_text(suite, encoding="utf-8")


def measured(path: Path, source: Path, answers: Mapping[str, Any], version: str, released: Bundle | None) -> Bundle:
    """A bundle with these answers, case → JSON."""
    bundle = Bundle(path)
    calls = []
    for case, answer in answers.items():
        output = f"outputs/{case}/output.json"
        (path / output).parent.mkdir(parents=True)
        (path / output).write_text(json.dumps(answer), encoding="utf-8")
        calls.append(Invocation(case=case, status="ok", output=output, latency_s=0.1))
    bundle.write_invocations(calls)
    contract = load_contract(source)
    origin = Source(
        url="https://git.example.org/service.git",
        revision=f"v{version}",
        commit="c" * 40,
        committer_date="2026-05-04T09:00:00+00:00",
        version=version,
        tree="7" * 64,
    )
    run = Run(penstock="0.1.0", run_id=f"run-{version}", model=contract.name, family=contract.family, source=origin)
    bundle.update_run(run)
    measure(contract, load_suite(source, contract), bundle, source, workers=1, released=released)
    return bundle


def judged(candidate: Bundle, metric: str) -> None:
    result = rule(metric, "pass", f"{metric} is 0.1, as it must be ≤ 0.2", "≤ 0.2")
    rules = [result.model_copy(update={"baseline": 0.12, "candidate": 0.1, "change": -0.02})]
    candidate.write_verdict(
        Verdict(verdict="pass", baseline="run-1.0.0", candidate="run-1.1.0", level=0.05, rules=rules)
    )


def write_face_pair(folder: Path) -> tuple[Bundle, Bundle, Path]:
    """Candidate, baseline, and the repository with the suite: two people are mistaken for each other."""
    source, random = folder / "source", np.random.default_rng(4)
    cases: list[dict[str, Any]] = []
    qualities: dict[str, float] = {}
    for person in range(PEOPLE):
        for number in range(IMAGES):
            name = f"p{person}-{number}"
            save(source / "suite" / f"{name}.png", np.full((120, 90, 3), (30 * person, 60, 80 * number), np.uint8))
            cases.append({"name": name, "inputs": {"image": f"{name}.png"}, "identity": NAMES[person]})
            qualities[name] = 0.85 + 0.05 * number
    for kind in ("blur", "low-light", "several-faces"):
        name = f"bad-{kind}"
        save(source / "suite" / f"{name}.png", np.full((120, 90, 3), 90, np.uint8))
        cases.append({"name": name, "inputs": {"image": f"{name}.png"}, "identity": NAMES[0], "ood": kind})
        qualities[name] = 0.2
    pair = {"first": "p0-0.png", "second": "p1-0.png"}
    cases.append({"name": "compared", "inputs": pair, "same": False, "identities": [NAMES[0], NAMES[1]]})
    calls = {"preset": "face-ood", "http": {"argv": ["python", "serve.py"]}, "warmup": 0}
    write_contract(source, "face", cases, calls)
    centres = random.normal(size=(PEOPLE, 512))
    sides: list[Bundle] = []
    for version, noise in (("1.0.0", 1.6), ("1.1.0", 1.4)):
        answers: dict[str, Any] = {}
        for case in cases:
            if case["name"] == "compared":
                scores = {"quality_score1": 0.9, "quality_score2": 0.9, "decision": "pass", "advice": ""}
                answers["compared"] = {"similarity": 0.71} | scores
                continue
            vector = centres[NAMES.index(case["identity"])] + noise * random.normal(size=512)
            if version == "1.1.0" and case["name"] == "p3-0":
                vector = centres[4] + 0.2 * random.normal(size=512)
            answers[case["name"]] = {
                "feature": vector.tolist(),
                "quality_score": qualities[case["name"]],
                "resolution": "90x120",
                "detected_face_area_ratio": 0.4,
            }
        side = folder / ("candidate" if sides else "baseline")
        sides.append(measured(side, source, answers, version, sides[0] if sides else None))
    judged(sides[1], "eer")
    return sides[1], sides[0], source


def write_recognition_pair(folder: Path) -> tuple[Bundle, Bundle, Path]:
    """Candidate, baseline, and the repository with the suite: pictures with a sign, one label is wrong and hostile."""
    source = folder / "source"
    picture = np.full((240, 320, 3), (150, 180, 200), np.uint8)
    x, y, across, down = SIGN
    picture[y : y + down, x : x + across] = (40, 60, 220)
    cases = []
    for name in ("shop", "edge", "dead"):
        save(source / "suite" / f"{name}.png", picture)
        truth = {"labels": ["超市"], "objects": [{"label": "超市", "box": list(SIGN)}], "text": "超市"}
        cases.append({"name": name, "inputs": {"image": f"{name}.png"}, "slices": ["chinese"]} | truth)
    write_contract(source, "recognition", cases, {"preset": "wanwu", "http": {"argv": ["python", "serve.py"]}})
    right = {"label": "超市", "confidence": 0.93, "box": list(SIGN)}
    wrong = {"label": WRONG_LABEL, "confidence": 0.61, "box": [240, 2, 79, 60]}
    sides: list[Bundle] = []
    for version in ("1.0.0", "1.1.0"):
        objects = [right] if version == "1.0.0" else [right, wrong]
        good = {"objects": objects, "description": "", "text": "超市" if version == "1.0.0" else "超布"}
        answers = {"shop": good, "edge": good | {"objects": []}, "dead": {"objects": "none", "text": "超市"}}
        side = folder / ("candidate" if sides else "baseline")
        sides.append(measured(side, source, answers, version, sides[0] if sides else None))
    judged(sides[1], "ece")
    return sides[1], sides[0], source
