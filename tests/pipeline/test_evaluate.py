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
