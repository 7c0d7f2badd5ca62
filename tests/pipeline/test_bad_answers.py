"""Services whose answers are none: whole runs, in which each case has one clear reason, and the others go on."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import yaml
from tests.pipeline.pipeline_runs import run_release
from tests.unit.sources.source_servers import commit, git, new_repository

LIMIT_S = 120.0
SERVICE = """
import json, os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
GOOD = {"feature": [1.0] * 512, "quality_score": 0.9, "resolution": "112x112", "detected_face_area_ratio": 0.4,
        "objects": [{"label": "cup", "confidence": 0.9}], "description": "a cup", "text": ""}
def said(**changed): return json.dumps({**GOOD, **changed}).encode()
JSON = "application/json"
ANSWERS = {
    "good": (JSON, said()),
    "nan": (JSON, said(feature=[float("nan")] * 512)),
    "strings": (JSON, said(feature=["0.1"] * 512, objects=["cup"])),
    "type": ("text/html", said()),
    "faces": (JSON, b"[" + b",".join([b'{"a":1}'] * 1_000_000) + b"]"),
    "deep": (JSON, b"[" * 100_000),
    "twice": (JSON, b'{"feature": [], "feature": [], "objects": []}'),
    "huge": (JSON, said(feature=[10 ** 190] * 512, objects=[{"label": "cup", "confidence": 10 ** 190}])),
    "surrogate": (JSON, b'{"feature": "\\\\ud800"}'),
    "box": (JSON, said(feature=None, objects=[{"label": "cup", "confidence": 0.9, "box": [5, 5, -1, 9]}])),
}
class Handler(BaseHTTPRequestHandler):
    def log_message(self, *args): pass
    def say(self, kind, content):
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)
    def do_GET(self): self.say(JSON, b"{}")
    def do_POST(self):
        form = self.rfile.read(int(self.headers["Content-Length"]))
        at = form.index(b"\\x89PNG")
        self.say(*ANSWERS[list(ANSWERS)[int.from_bytes(form[at + 16 : at + 20], "big") - 40]])  # by the image's width
ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
"""
NAMES = ("good", "nan", "strings", "type", "faces", "deep", "twice", "huge", "surrogate", "box")
NOT_READ = "the model's answer is not JSON that can be read: "
IN_THE_CALL = {
    "nan": f"{NOT_READ}NaN is not a JSON number",
    "type": "the model answered 'text/html' where 'application/json' was expected",
    "faces": f"{NOT_READ}it has more than 1,000,000 values",
    "deep": f"{NOT_READ}it is nested over 64 levels",
    "twice": f'{NOT_READ}the name "feature" is twice in one object',
    "surrogate": f"{NOT_READ}it holds a text that is no Unicode (a lone surrogate)",
}
FAMILIES: dict[str, tuple[str, dict[str, Any], str, dict[str, str]]] = {
    "face": (
        "face-ood",
        {},
        "face_quality",
        {
            "strings": "'feature[0]' is text (\"0.1\"), not a number",
            "huge": "'feature' holds values that single precision cannot",
            "box": "'feature' is null, not a list of 512 numbers",
        },
    ),
    "recognition": (
        "wanwu",
        {"labels": ["cup"]},
        "label_f1",
        {
            "strings": "objects[0] is text, not an object",
            "huge": f"objects[0].confidence is {10**190}, not a number from 0 to 1",
            "box": "objects[0].box is [5, 5, -1, 9]: its width and height must be above 0",
        },
    ),
}


@pytest.mark.parametrize("family", FAMILIES)
def test_each_bad_answer_has_one_reason(tmp_path: Path, family: str) -> None:
    preset, said, metric, reasons = FAMILIES[family]
    cases = [{"name": name, "inputs": {"image": f"{name}.png"}, **said} for name in NAMES]
    contract = {
        "version": 1,
        "name": "bad",
        "family": family,
        "call": {"preset": preset, "http": {"argv": ["python", "serve.py"]}, "warmup": 0},
        "suite": "suite",
        "policy": {"rules": [{"metric": metric, "min": 0}]},
    }
    files: dict[str, str | bytes] = {
        f"suite/{name}.png": cv2.imencode(".png", np.full((60, 40 + place, 3), 90, np.uint8))[1].tobytes()
        for place, name in enumerate(NAMES)
    }
    files["suite/suite.yaml"] = json.dumps({"version": 1, "family": family, "cases": cases})
    repository = new_repository(tmp_path / "bad")
    commit(repository, files | {"penstock.yaml": yaml.safe_dump(contract), "serve.py": SERVICE}, "1")
    git(repository, "tag", "v1.0.0")

    began = time.monotonic()
    code, bundle = run_release(repository, tmp_path / "out", "v1.0.0")
    assert time.monotonic() - began < LIMIT_S
    assert code == 1
    found = {line.case: line for line in bundle.measurements() if line.metric == metric}
    assert found["good"].value is not None
    assert {name: line.error for name, line in found.items() if name != "good"} == IN_THE_CALL | reasons
    assert (bundle.path / "report" / "index.html").stat().st_size < 2_000_000
