"""Preprocessing by itself: the released model's arrays and the candidate's, of the same bytes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import yaml
from tests.pipeline.pipeline_runs import run_release
from tests.unit.sources.source_servers import commit, git, new_repository

SERVICE = """
import io, json, os, sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
import cv2
import numpy as np
order = json.load(open("order.json"))
ANSWER = {"feature": [1.0] * 512, "quality_score": 0.9, "resolution": "112x112", "detected_face_area_ratio": 0.4,
          "objects": [], "description": "", "text": ""}
class Handler(BaseHTTPRequestHandler):
    def log_message(self, *args): pass
    def say(self, kind, content):
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)
    def do_GET(self): self.say("application/json", b"{}")
    def do_POST(self):
        form = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path == "/recognize" or self.path == "/feature":
            return self.say("application/json", json.dumps(ANSWER).encode())
        pixels = cv2.imdecode(np.frombuffer(form[form.index(b"\\x89PNG"):], np.uint8), 1)[:, :, order]
        if self.path == "/cut":
            opaque = np.full((*pixels.shape[:2], 4), 255, np.uint8)
            return self.say("image/png", cv2.imencode(".png", opaque)[1].tobytes())
        file = io.BytesIO()
        np.save(file, pixels.transpose(2, 0, 1)[None].astype(np.float32) / 255)
        self.say("application/octet-stream", file.getvalue())
ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
"""
PREPROCESS = {
    "path": "/preprocess",
    "files": {"image": "image"},
    "response": "application/octet-stream",
    "optional": True,
}
CALLS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "face": ({"preset": "face-ood", "http": {"calls": {"preprocess": PREPROCESS}}}, {"identity": "a"}),
    "recognition": (
        {
            "http": {
                "ready": "/healthz",
                "calls": {
                    "recognize": {
                        "path": "/recognize",
                        "files": {"image": "image"},
                        "response": "application/json",
                    },
                    "preprocess": PREPROCESS,
                },
            }
        },
        {"labels": []},
    ),
    # one whose own metrics compare nothing with the released answers
    "matting": (
        {
            "http": {
                "ready": "/healthz",
                "calls": {
                    "cut": {"path": "/cut", "files": {"image": "image"}, "response": "image/png"},
                    "preprocess": PREPROCESS,
                },
            }
        },
        {"truth": "truth.png"},
    ),
}


@pytest.mark.parametrize("family", CALLS)
def test_swapped_channels_are_seen_as_such(tmp_path: Path, family: str) -> None:
    call, said = CALLS[family]
    call = {**call, "http": {**call["http"], "argv": ["python", "serve.py"]}, "warmup": 0}
    contract = {
        "version": 1,
        "name": "eyes",
        "family": family,
        "call": call,
        "suite": "suite",
        "policy": {"rules": [{"metric": "preprocess_drift", "max": 1e-6}]},
    }
    files: dict[str, str | bytes] = {}
    files["suite/truth.png"] = cv2.imencode(".png", np.full((20, 20), 255, np.uint8))[1].tobytes()
    for number in range(3):
        pixels = np.full((20, 20, 3), (number, 100, 51 * number), np.uint8)
        files[f"suite/{number}.png"] = cv2.imencode(".png", pixels)[1].tobytes()
    cases = [{"name": f"c{number}", "inputs": {"image": f"{number}.png"}, **said} for number in range(3)]
    files["suite/suite.yaml"] = json.dumps({"version": 1, "family": family, "cases": cases})
    repository = new_repository(tmp_path / "eyes")
    files |= {"penstock.yaml": yaml.safe_dump(contract), "serve.py": SERVICE, "order.json": "[0, 1, 2]"}
    commit(repository, files, "1")
    git(repository, "tag", "v1.0.0")
    commit(repository, {"order.json": "[2, 1, 0]"}, "2")
    git(repository, "tag", "v1.1.0")

    code, bundle = run_release(repository, tmp_path / "out", "v1.0.0")
    assert code == 0, [rule.reason for rule in bundle.verdict().rules]
    code, bundle = run_release(repository, tmp_path / "out", "v1.1.0")
    assert code == 1
    (found,) = [line for line in bundle.measurements() if line.metric == "preprocess_drift"]
    assert found.value == pytest.approx(100 / 255)
    assert found.error == "most in the case 'c2', of 3"
