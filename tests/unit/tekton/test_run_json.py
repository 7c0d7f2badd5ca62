"""The record of a run survives being written and read."""

from __future__ import annotations

import json

from penstock.tekton.run_json import Attempt, Result, StepRecord, TaskRunRecord

STEP = StepRecord("s", 1, "Error", "logs/s", "a", "b", [Result("r", "array", ["x", "y"])])
RECORD = TaskRunRecord(
    "r-a",
    "a",
    "False",
    "Failed",
    exit_code=1,
    failed_step="s",
    results=[Result("o", "object", {"k": "v"})],
    steps=[STEP],
    retries=[Attempt("Failed", "m", 1, "s", [STEP], "a", "b")],
)


def test_what_was_written_is_read() -> None:
    assert TaskRunRecord.from_json(json.loads(json.dumps(RECORD.to_json()))) == RECORD


def test_done_and_results_by_name() -> None:
    assert RECORD.done
    assert not TaskRunRecord("r-a", "a").done
    assert RECORD.result("o") == Result("o", "object", {"k": "v"})
    assert RECORD.result("none") is None
