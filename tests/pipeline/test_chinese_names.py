"""Chinese names from end to end: files, folders, slices, labels, texts; and small inputs, which must be refused."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import yaml
from tests.invocation.json_answers import JSON_ANSWERS
from tests.pipeline.pipeline_runs import run_release
from tests.unit.sources.source_servers import commit, git, new_repository

SERVICE = (
    JSON_ANSWERS
    + """
import os, re, sys
class Handler(JsonHandler):
    def do_GET(self): self.answer(200, {})
    def do_POST(self):
        form = self.rfile.read(int(self.headers["Content-Length"]))
        sys.stdout.buffer.write(b"name " + re.search(rb'filename="([^"]*)"', form)[1] + b"\\n")
        sys.stdout.buffer.flush()
        at = form.index(b"\\x89PNG")
        width, height = (int.from_bytes(form[at + place : at + place + 4], "big") for place in (16, 20))
        if width < 640 or height < 480: return self.answer(422, {"error": "图片太小"})
        found = [{"label": "马克杯" if height == 480 else "书", "confidence": 0.9}]
        self.answer(200, {"objects": found, "description": "桌上有东西", "text": "出口"})
ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
"""
)
RULES = [
    {"metric": "label_f1", "slice": "夜景", "min": 1},
    {"metric": "cer", "max": 0},
    {"metric": "phrases", "min": 1},
    {"metric": "wrongly_accepted", "slice": "小于 640×480", "max": 0},
]
CASES = [
    {
        "name": "cup",
        "inputs": {"image": "照片/夜景 杯子.png"},
        "labels": ["杯子"],
        "text": "出口",
        "similar": "词/相近.json",
        "slices": ["夜景"],
    },
    {
        "name": "book",
        "inputs": {"image": "照片/书.png"},
        "labels": ["书"],
        "description": {"required": ["桌上"], "forbidden": ["杯子"]},
        "slices": ["夜景"],
    },
    {
        "name": "small",
        "inputs": {"image": "照片/证件照(小).png"},
        "slices": ["小于 640×480"],
        "expect": {"status": 422, "json": {"$.error": "图片太小"}},
    },
]
SIZES = {"照片/夜景 杯子.png": (640, 480), "照片/书.png": (640, 500), "照片/证件照(小).png": (640, 479)}


def released(folder: Path, service: str) -> Path:
    contract = {
        "version": 1,
        "name": "names",
        "family": "recognition",
        "call": {"preset": "wanwu", "http": {"argv": ["python", "serve.py"]}, "warmup": 0},
        "suite": "suite",
        "policy": {"rules": RULES},
    }
    similar = {"embedding": "手工 1", "threshold": 0.9, "vectors": {"杯子": [1, 0], "马克杯": [1, 0.1], "书": [0, 1]}}
    files: dict[str, str | bytes] = {
        f"suite/{name}": cv2.imencode(".png", np.full((height, width, 3), 90, np.uint8))[1].tobytes()
        for name, (width, height) in SIZES.items()
    }
    files |= {
        "suite/suite.yaml": yaml.safe_dump({"version": 1, "family": "recognition", "cases": CASES}, allow_unicode=True),
        "suite/词/相近.json": json.dumps(similar, ensure_ascii=False),
        "penstock.yaml": yaml.safe_dump(contract, allow_unicode=True),
        "serve.py": service,
    }
    repository = new_repository(folder / "模型")
    commit(repository, files, "名字")
    git(repository, "tag", "v1.0.0")
    return repository


def test_a_whole_release(tmp_path: Path) -> None:
    code, bundle = run_release(released(tmp_path, SERVICE), tmp_path / "出", "v1.0.0")
    assert code == 0, [rule.reason for rule in bundle.verdict().rules]
    values = {(line.case, line.metric): line for line in bundle.measurements()}
    assert values["cup", "label_f1"].value == 1.0
    assert (values["cup", "label_f1"].error or "").startswith("'马克杯' counts as '杯子' (0.995); likeness:")
    assert values["cup", "label_f1"].slices == ["夜景"]
    assert values["small", "wrongly_accepted"].value == 0.0
    log = (bundle.path / "logs" / "model.log").read_text(encoding="utf-8")
    assert [f"name {Path(name).name}" in log for name in SIZES] == [True] * 3
    page = (bundle.path / "report" / "index.html").read_text(encoding="utf-8")
    assert [word in page for word in ("夜景", "小于 640×480", "马克杯")] == [True] * 3
    stored = [path for path in (tmp_path / "出" / "store").rglob("measurements.jsonl*") if path.is_file()]
    assert len(stored) == 1


def test_a_small_input_that_is_accepted_stops_the_release(tmp_path: Path) -> None:
    code, bundle = run_release(
        released(tmp_path, SERVICE.replace("height < 480", "height < 48")), tmp_path / "出", "v1.0.0"
    )
    assert code == 1
    assert {rule.metric: rule.slice for rule in bundle.verdict().rules if rule.verdict != "pass"} == {
        "wrongly_accepted": "小于 640×480"
    }
