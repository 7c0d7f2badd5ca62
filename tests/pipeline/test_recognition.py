"""A service that recognises what is in pictures goes through whole releases; what is worse is rejected."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import yaml
from tests.invocation.json_answers import JSON_ANSWERS
from tests.pipeline.pipeline_runs import run_release
from tests.unit.sources.source_servers import commit, git, new_repository

MODEL = (
    JSON_ANSWERS
    + """
import os
for name in ("suite/suite.yaml", "suite/synonyms.yaml"):
    try:
        open(name).read()
        print("READ", name)
    except OSError:
        print("REFUSED", name)
answers = json.load(open("answers.json"))
class Handler(JsonHandler):
    def do_GET(self): self.answer(200 if self.path == "/healthz" else 404, {})
    def do_POST(self):
        form = self.rfile.read(int(self.headers["Content-Length"]))
        at = form.index(b"\\x89PNG")
        self.answer(200, answers[str(int.from_bytes(form[at + 16 : at + 20], "big"))])  # by the picture's width
ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
"""
)
CONTRACT: dict[str, Any] = {
    "version": 1,
    "name": "seer",
    "family": "recognition",
    "call": {"preset": "wanwu", "http": {"argv": ["python", "serve.py"]}, "warmup": 0},
    "suite": "suite",
    "policy": {
        "rules": [
            {"metric": "label_f1", "min": 0.8, "margin": 0.1},
            {"metric": "map50", "min": 0.9},
            {"metric": "cer", "max": 0.2},
            {"metric": "phrases", "min": 1},
            {"metric": "ece", "max": 0.3},
            {"metric": "schema_breaks", "max": 0},
        ]
    },
}
CASES = [
    {
        "name": "desk",
        "inputs": {"image": "桌子.png"},
        "objects": [{"label": "cup", "box": [10, 10, 20, 20]}, {"label": "book", "box": [40, 10, 15, 30]}],
        "description": {"required": ["cup"], "forbidden": ["dog"]},
        "language": "zh",
        "synonyms": "synonyms.yaml",
        "slices": ["chinese"],
    },
    {"name": "sign", "inputs": {"image": "sign.png"}, "labels": ["sign"], "text": "出口 Exit"},
    {"name": "wall", "inputs": {"image": "wall.png"}, "labels": []},
]
WIDTHS = {"桌子": 80, "sign": 81, "wall": 82}
ANSWERS: dict[str, Any] = {
    "80": {
        "objects": [
            {"label": "杯子", "confidence": 0.9, "box": [11, 10, 20, 20]},
            {"label": "book", "confidence": 0.8, "box": [40, 12, 15, 28]},
        ],
        "description": "A cup and a book.",
        "text": "",
    },
    "81": {
        "objects": [{"label": "sign", "confidence": 0.95, "box": [0, 0, 81, 60]}],
        "description": "A sign.",
        "text": "出囗 Exit",
    },
    "82": {"objects": [], "description": "A wall.", "text": ""},
}


def suite() -> dict[str, str | bytes]:
    pictures = {
        f"suite/{name}.png": cv2.imencode(".png", np.full((60, width, 3), 90, np.uint8))[1].tobytes()
        for name, width in WIDTHS.items()
    }
    whole = {"version": 1, "family": "recognition", "cases": CASES}
    table = {"zh": {"cup": ["杯子"]}}
    return pictures | {
        "suite/suite.yaml": yaml.safe_dump(whole, allow_unicode=True),
        "suite/synonyms.yaml": yaml.safe_dump(table, allow_unicode=True),
    }


def answers(**changed: Any) -> str:
    """Those of the good release, with fields of the first picture's answer changed; ``None`` takes a field out."""
    made = copy.deepcopy(ANSWERS)
    for name, value in changed.items():
        made["80"][name] = value
        if value is None:
            del made["80"][name]
    return json.dumps(made)


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    repository = new_repository(tmp_path_factory.mktemp("models") / "seer")
    code = {"penstock.yaml": yaml.safe_dump(CONTRACT), "serve.py": MODEL, "answers.json": answers()}
    commit(repository, suite() | code, "recognise")
    git(repository, "tag", "v1.0.0")
    commit(repository, {"answers.json": answers(description="A cup, and a dog.")}, "longer descriptions")
    git(repository, "tag", "v1.1.0")
    commit(repository, {"answers.json": answers(text=None)}, "no empty texts")
    git(repository, "tag", "v1.2.0")
    return repository


def test_releases(repository: Path, tmp_path: Path) -> None:
    code, bundle = run_release(repository, tmp_path, "v1.0.0")
    values = {(line.case, line.metric): line for line in bundle.measurements()}
    assert code == 0, [rule.reason for rule in bundle.verdict().rules]
    assert values["desk", "label_f1"].value == 1.0
    assert values["wall", "label_f1"].value == 1.0
    assert values["sign", "cer"].value == pytest.approx(1 / 6)
    assert not values["wall", "cer"].applies
    assert values["*", "map50"].value == 1.0
    assert values["*", "ece"].value == pytest.approx((0.1 + 0.2 + 0.05) / 3)
    log = (bundle.path / "logs" / "model.log").read_text(encoding="utf-8")
    assert log.count("REFUSED") == 2
    assert "READ" not in log
    assert (bundle.path / "report").is_dir()

    code, bundle = run_release(repository, tmp_path, "v1.1.0")
    assert code == 1
    failed = {rule.metric: rule.reason for rule in bundle.verdict().rules if rule.verdict != "pass"}
    assert set(failed) == {"phrases"}
    said = {(line.case, line.metric): line.error for line in bundle.measurements()}
    assert said["desk", "phrases"] == "forbidden: dog"

    code, bundle = run_release(repository, tmp_path, "v1.2.0")
    assert code == 1
    failed = {rule.metric: rule.reason for rule in bundle.verdict().rules if rule.verdict != "pass"}
    assert set(failed) == {"schema_breaks"}
    assert "$.text is missing in 1 of 3" in failed["schema_breaks"]
