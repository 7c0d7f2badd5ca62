"""``penstock bisect`` as a user starts it, over a real repository whose commits are really run.

Half a minute on two idle cores, and so not among the unit tests: ``pytest tests/bisect``.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import yaml
from tests.pipeline.pipeline_runs import MODEL, PENSTOCK, contract, environment, files, text
from tests.unit.sources.source_servers import commit, git, new_repository

from penstock.bisect.fixed_suite import PLACE
from penstock.bundle.directory import Bundle

LIMIT_S = 300.0
PATCHY = MODEL.replace('shutil.copyfile("answer.mp4", sys.argv[3])', "this is no Python")
"""A model that cannot be called at all."""


def video(contrast: float) -> bytes:
    """An MP4 of 12 frames of a chessboard; the less contrast, the less sharp."""
    import io
    from fractions import Fraction

    import av

    board = (np.indices((64, 64)) // 8).sum(axis=0) % 2
    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width = stream.height = 64
        stream.pix_fmt = "yuv420p"
        for index in range(12):
            image = np.repeat((127 + contrast * (board - 0.5) * 200)[..., None], 3, axis=2).astype(np.uint8)
            cv2.circle(image, (10 + index, 32), 6, (200, 220, 240), -1)
            frame = av.VideoFrame.from_ndarray(image, format="bgr24")
            frame.pts, frame.time_base = index, Fraction(1, 25)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return file.getvalue()


def more_cases() -> str:
    """A suite with a case that the first commits do not have."""
    suite: dict[str, Any] = yaml.safe_load(files()["suite/suite.yaml"])
    suite["cases"].append({"name": "three", "inputs": {"image": "new.png", "audio": "stimme.wav"}})
    return text(suite)


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Good, a readme, another suite, one that cannot be called, the bad one, a linter that fails, the last."""
    repository = new_repository(tmp_path_factory.mktemp("bisect") / "größe 1")
    failing = {"name": "lint", "argv": ["python", "-c", "raise SystemExit('line too long')"]}
    picture = cv2.imencode(".png", np.full((32, 32, 3), 20, np.uint8))[1].tobytes()
    commit(repository, files() | {"answer.mp4": video(1.0)}, "0: good")
    git(repository, "tag", "v1.0.0")
    commit(repository, {"README.md": "hello\n"}, "1: readme")
    commit(repository, {"suite/suite.yaml": more_cases(), "suite/new.png": picture}, "2: a new case")
    commit(repository, {"model.py": PATCHY}, "3: cannot be called")
    commit(repository, {"model.py": MODEL, "answer.mp4": video(0.5)}, "4: bad; \x1b[31m$(id)")
    commit(repository, {"penstock.yaml": text(contract(checks=[failing]))}, "5: lint fails")
    commit(repository, {"README.md": "bye\n"}, "6: last")
    git(repository, "tag", "v2.0.0")
    return repository


def arguments(repository: Path, out: Path, *more: str) -> list[str]:
    ends = ["--good", "v1.0.0", "--bad", "v2.0.0", "--metric", "sharpness"]
    return [PENSTOCK, "bisect", "--repo", str(repository), *ends, "--out", str(out), *more]


def run(words: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(words, env=environment(), capture_output=True, text=True, timeout=LIMIT_S, check=False)


@pytest.mark.timeout(LIMIT_S)
def test_interrupted_resumed_found_and_reused(repository: Path, tmp_path: Path) -> None:
    out = tmp_path / "läufe"
    # Ctrl-C while the bad commit, the second of all, is being run
    with subprocess.Popen(
        arguments(repository, out, "--verbose"),
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        assert process.stderr is not None
        seen, second = [], False
        for line in process.stderr:
            seen.append(line)
            second = second or line.startswith("6/6 ")
            if second and line.startswith("plan: done"):
                os.killpg(process.pid, signal.SIGINT)
                break
        rest = process.stderr.read()
        assert process.wait(LIMIT_S) == 130, "".join(seen) + rest
    said = [line for line in rest.splitlines() if line.startswith("error: ")]
    assert said == ["error: bisect: interrupted; what was found out is kept. Give the same command again to go on."]
    assert "Traceback" not in rest

    ended = run(arguments(repository, out, "--json"))
    assert ended.returncode == 3, ended.stderr
    found = json.loads(ended.stdout)
    answers = {step["position"]: (step["answer"], step["origin"].partition(" ")[0]) for step in found["steps"]}
    # 3 cannot be called, so that the bad commit may be 3 or 4: as `git bisect skip` has it
    assert answers == {
        0: ("good", "run"),
        6: ("bad", "run"),
        3: ("skipped", "run"),
        2: ("not worse", "run"),
        4: ("worse", "run"),
    }
    assert found["outcome"] == "suspects"
    assert [commit["subject"] for commit in found["suspects"]] == ["3: cannot be called", "4: bad; \x1b[31m$(id)"]
    assert "\x1b" not in ended.stderr

    # every commit was measured over the bad one's three cases, also the first, which has two
    bundles = {step["position"]: Bundle(Path(step["bundle"])) for step in found["steps"]}
    for position in (0, 2, 4, 6):
        assert {line.case for line in bundles[position].measurements()} >= {"one", "two", "three"}
        assert bundles[position].run().suite == bundles[0].run().suite
        assert not bundles[position].verdict_file.exists()
    notes = {step.name: step.note for step in bundles[0].run().steps}
    assert notes["same-suite"] == "suite of the bad commit"
    assert (bundles[0].path.parent / "source" / PLACE / "suite" / "new.png").exists()
    assert not (bundles[2].path.parent / "source" / PLACE).exists()
    assert not (out / "store").exists()

    # the same again runs nothing; another margin asks something else of the same bundles
    again = run(arguments(repository, out, "--margin", "99%", "--json"))
    assert again.returncode == 1, again.stderr
    other = json.loads(again.stdout)
    assert (other["outcome"], other["runs"], other["reused"]) == ("not worse", 0, 2)


@pytest.mark.timeout(LIMIT_S)
def test_a_release_that_was_run_before_is_taken_and_clean_history_is_found(repository: Path, tmp_path: Path) -> None:
    """Between the new case and the last commit, where only the linter fails; its end was released before."""
    out = tmp_path / "out"
    where = ["--repo", str(repository), "--out", str(out)]
    # rejected or not, the run is archived: the linter's check stops it before it is measured only from commit 5 on
    released = run([PENSTOCK, "run", "release", *where, "--revision", git(repository, "rev-parse", "v2.0.0~2")])
    assert released.returncode == 0, released.stderr
    for path in (out / "runs").iterdir():
        path.rename(tmp_path / path.name)  # what is left of it is its archive
    ends = ["--good", "v2.0.0~4", "--bad", "v2.0.0~2", "--metric", "sharpness"]
    ended = run([PENSTOCK, "bisect", *where, *ends, "--json", "--quiet"])
    assert ended.returncode == 3, ended.stderr
    found = json.loads(ended.stdout)
    assert (found["runs"], found["reused"]) == (2, 1)
    assert next(step for step in found["steps"] if step["answer"] == "bad")["origin"].startswith("archived run tiny-")
    assert ended.stderr == ""


@pytest.mark.timeout(LIMIT_S)
def test_the_first_bad_commit(repository: Path, tmp_path: Path) -> None:
    own = tmp_path / "own"
    git(tmp_path, "clone", "-q", str(repository), str(own))
    commit(own, {"answer.mp4": video(0.2)}, "7: worse still")
    commit(own, {"README.md": "again\n"}, "8: on top")
    where = ["--repo", str(own), "--out", str(tmp_path / "out"), "--good", "HEAD~3", "--bad", "HEAD"]
    ended = run([PENSTOCK, "bisect", *where, "--metric", "sharpness"])
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.splitlines()[0] == f"{git(own, 'rev-parse', 'HEAD~1')} is the first bad commit"
    assert "subject: 7: worse still" in ended.stdout
    assert "4 run, 0 reused, 0 skipped" in ended.stdout
