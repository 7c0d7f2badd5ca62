"""``penstock evaluate --command``: a program makes the answers, confined, and sees no truth."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.unit.evaluation.photo_folders import photo_folders

from penstock.bundle.directory import Bundle

PROGRAM = """
import sys
from pathlib import Path
import cv2
import numpy as np

photo = cv2.imread(sys.argv[1])
if Path(sys.argv[1]).stem in sys.argv[3:]:
    sys.exit("no subject found")
for folder in ("mattes", "old"):
    try:
        (Path(folder) / "anna.png").read_bytes()
        sys.exit("it read what it is compared with")
    except OSError:
        pass
alpha = np.zeros(photo.shape[:2], np.uint8)
cv2.circle(alpha, (40, 30), 16, 255, -1)
cv2.imwrite(sys.argv[2], np.dstack([photo, alpha]))
"""


def evaluate(folder: Path, *arguments: str) -> tuple[int, Any, str]:
    program = Path(sys.executable).with_name("penstock")
    words = [str(program), "evaluate", "photos", "--truth", "mattes", *arguments, "--json"]
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True, timeout=120, check=False)
    return done.returncode, json.loads(done.stdout) if done.stdout else None, done.stderr


def test_a_program_is_compared_with_a_folder(tmp_path: Path) -> None:
    photo_folders(tmp_path)
    (tmp_path / "run.py").write_text(PROGRAM, encoding="utf-8")
    command = "python run.py {image} {output}"
    code, found, said = evaluate(tmp_path, "--command", command, "--against", "old", "--out", "evaluation")
    assert code == 0, said
    assert (found["candidate"], found["baseline"], found["failed"]) == (command, "old", [])
    mae = next(entry for entry in found["metrics"] if entry["metric"] == "mae")
    assert (mae["better"], mae["n"]) == (3, 3)
    bundle = Bundle(tmp_path / "evaluation" / "candidate")
    run = bundle.run()
    assert run.inference is not None
    assert run.inference.shards[0].isolation is not None
    assert all(call.latency_s for call in bundle.invocations())
    assert {one.metric for one in bundle.measurements()} >= {"latency", "mae"}
    assert "latency" not in {one.metric for one in Bundle(tmp_path / "evaluation" / "baseline").measurements()}


def test_a_program_that_fails_on_a_photo_exits_with_4(tmp_path: Path) -> None:
    photo_folders(tmp_path)
    (tmp_path / "run.py").write_text(PROGRAM, encoding="utf-8")
    code, found, _ = evaluate(tmp_path, "--command", "python run.py {image} {output} bob", "--against", "old")
    assert code == 4
    assert [each["case"] for each in found["failed"]] == ["bob"], found["failed"]
    assert "no subject found" in found["failed"][0]["reason"]
    mae = next(entry for entry in found["metrics"] if entry["metric"] == "mae")
    assert mae["n"] == 2
    assert "no value in the candidate for 'bob'" in mae["note"]


SERVICE = """
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
import cv2
import numpy as np

TRUTHS = [Path(__file__).parent / "suite" / "mattes" / "anna.png", *map(Path, sys.argv[2:])]

class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.answer(b"", "text/plain")

    def do_POST(self):
        for truth in TRUTHS:
            try:
                truth.read_bytes()
                return self.answer(b"it read what it is compared with", "text/plain")
            except OSError:
                pass
        photo = cv2.imdecode(np.frombuffer(self.rfile.read(int(self.headers["Content-Length"])), np.uint8), 1)
        alpha = np.zeros(photo.shape[:2], np.uint8)
        cv2.circle(alpha, (40, 30), RADIUS, 255, -1)
        self.answer(cv2.imencode(".png", np.dstack([photo, alpha]))[1].tobytes(), "image/png")

    def answer(self, content, kind):
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

HTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""


def model(folder: Path, radius: int, hidden: Path) -> None:
    """A model with a service, whose own suite holds the very mattes."""
    photo_folders(folder / "suite")
    names = ("anna", "bob", "cleo")
    cases = [{"name": n, "inputs": {"image": f"photos/{n}.jpg"}, "truth": f"mattes/{n}.png"} for n in names]
    suite = {"version": 1, "family": "matting", "cases": cases}
    (folder / "suite" / "suite.yaml").write_text(json.dumps(suite), encoding="utf-8")
    (folder / "serve.py").write_text(SERVICE.replace("RADIUS", str(radius)), encoding="utf-8")
    http = {"argv": ["python", "serve.py", "{port}", str(hidden)], "body": {"file": "image"}, "path": "/cut"}
    contract = {
        "version": 1,
        "name": "cutter",
        "family": "matting",
        "call": {"http": http | {"response": "image/png", "ready": "/"}},
        "suite": "suite",
        "policy": {"rules": [{"metric": "mae", "max": 1}]},
    }
    (folder / "penstock.yaml").write_text(json.dumps(contract), encoding="utf-8")


def test_two_models_are_started_by_their_contracts_and_see_no_truth(tmp_path: Path) -> None:
    photo_folders(tmp_path)
    for name, radius in (("first", 16), ("second", 19)):
        model(tmp_path / name, radius, tmp_path / "mattes" / "anna.png")
    options = ("--contract", "second", "--against-contract", "first", "--out", "evaluation")
    code, found, said = evaluate(tmp_path, *options)
    assert code == 0, said
    assert (found["candidate"], found["baseline"], found["failed"]) == ("second", "first", [])
    iou = next(entry for entry in found["metrics"] if entry["metric"] == "iou")
    assert iou["worse"] == 3
    run = Bundle(tmp_path / "evaluation" / "candidate").run()
    assert run.inference is not None
    assert run.inference.shards[0].isolation is not None
    log = (tmp_path / "evaluation" / "candidate" / "logs" / "model.log").read_text(encoding="utf-8")
    assert "starting python serve.py" in log
    assert sorted(path.name for path in (tmp_path / "second").iterdir()) == ["penstock.yaml", "serve.py", "suite"]
