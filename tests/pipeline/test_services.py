"""A service that speaks JSON, refuses what it must, and takes several cases at a time: released, and stopped."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.invocation.json_answers import JSON_ANSWERS
from tests.pipeline.pipeline_runs import run_release, video
from tests.unit.contract.conftest import png
from tests.unit.sources.source_servers import commit, git, new_repository

from penstock.bundle.log_record import log_record

PENSTOCK = str(Path(sys.executable).parent / "penstock")
MODEL = (
    JSON_ANSWERS
    + """
import base64, os, threading
one_line_at_a_time = threading.Lock()
mode = open("mode.txt").read()
strict, chatty = "strict" in mode, "chatty" in mode
class Handler(JsonHandler):
    def do_GET(self): self.answer(200, {"status": "READY"})
    def do_POST(self):
        said = self.asked()["input"]
        picture = base64.b64decode(said["image"].partition("base64,")[2])
        if strict and not picture.startswith(b"\\x89PNG"): return self.answer(422, {"detail": "no picture"})
        line = {"event": "predict", "bytes": len(picture)} | ({"image": said["image"]} if chatty else {})
        with one_line_at_a_time: print(json.dumps(line), flush=True)
        text = base64.b64encode(open("answer.mp4", "rb").read()).decode()
        self.answer(200, {"status": "succeeded", "output": "data:video/mp4;base64," + text})
ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
"""
)
CONTRACT = {
    "version": 1,
    "name": "speaker",
    "family": "talking-head",
    "call": {
        "preset": "cog",
        "http": {
            "argv": ["python", "serve.py"],
            "body": {"json": {"input": {"image": "{image|data-url}", "scale": "{scale}"}}},
            "response": "video/mp4",
            "concurrency": 2,
        },
        "parameters": {"duration": 1.0, "scale": 2},
    },
    "log": {"required": ["event", "bytes"], "where": {"event": "predict"}},
    "suite": "suite",
    "policy": {"rules": [{"metric": "duration_error", "max": 0.1}, {"metric": "wrongly_accepted", "max": 0}]},
}


def cases() -> list[dict[str, Any]]:
    good = [{"name": f"good-{n}", "inputs": {"image": "人像.png"}} for n in range(3)]
    return [*good[:1], {"name": "torn", "inputs": {"image": "torn.png"}, "expect": {"status": "4xx"}}, *good[1:]]


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """``v1.0.0`` refuses a file that is no picture, ``v2.0.0`` answers whatever comes, ``v3.0.0`` logs what comes."""
    repository = new_repository(tmp_path_factory.mktemp("models") / "speaker")
    files: dict[str, str | bytes] = {
        "penstock.yaml": yaml.safe_dump(CONTRACT),
        "suite/suite.yaml": yaml.safe_dump(
            {"version": 1, "family": "talking-head", "cases": cases()}, allow_unicode=True
        ),
        "suite/人像.png": png(),
        "suite/torn.png": b"no picture at all",
        "serve.py": MODEL,
        "answer.mp4": video(25),
        "mode.txt": "strict",
    }
    commit(repository, files, "strict")
    git(repository, "tag", "v1.0.0")
    commit(repository, {"mode.txt": "careless"}, "careless")
    git(repository, "tag", "v2.0.0")
    commit(repository, {"mode.txt": "strict, chatty"}, "logs that help")
    git(repository, "tag", "v3.0.0")
    return repository


def test_accepting_what_must_be_refused_stops_a_release(repository: Path, tmp_path: Path) -> None:
    code, bundle = run_release(repository, tmp_path, "v1.0.0")
    assert code == 0
    names = [case["name"] for case in cases()]
    assert [(call.case, call.status) for call in bundle.invocations()] == [(name, "ok") for name in names]
    values = {(line.case, line.metric): line.value for line in bundle.measurements()}
    assert values["torn", "wrongly_accepted"] == 0.0
    assert {metric for case, metric in values if case == "torn"} == {"wrongly_accepted"}
    assert values["good-2", "duration_error"] == pytest.approx(0.0, abs=0.01)

    code, bundle = run_release(repository, tmp_path, "v2.0.0")
    assert code == 1
    kept, stopped, logged = bundle.verdict().rules
    assert (logged.metric, logged.verdict) == ("log", "pass")
    assert (kept.verdict, kept.n) == ("pass", 3)
    assert (stopped.metric, stopped.verdict, stopped.candidate) == ("wrongly_accepted", "fail", 1.0)
    page = (bundle.path / "report" / "index.html").read_text(encoding="utf-8")
    assert "wrongly accepted" in page


def test_pictures_of_users_in_the_log_stop_a_release(repository: Path, tmp_path: Path) -> None:
    code, bundle = run_release(repository, tmp_path, "v3.0.0")
    assert code == 1
    rules = {rule.metric: rule for rule in bundle.verdict().rules}
    assert {name: rule.verdict for name, rule in rules.items()} == {
        "duration_error": "pass",
        "wrongly_accepted": "pass",
        "log": "fail",
    }
    record = log_record(bundle)
    assert record is not None
    # the call to warm up has left a line as well
    assert (record.calls, record.matching, set(record.counts)) == (4, 4, {"image"})
    assert record.fault is not None
    assert "holds a picture" in record.fault
    # outputs that are taken over come with the log that belongs to them
    code, again = run_release(repository, tmp_path, "v3.0.0", "again")
    assert code == 1
    inference = again.run().inference
    assert inference is not None
    assert inference.unchanged
    assert log_record(again) == record
