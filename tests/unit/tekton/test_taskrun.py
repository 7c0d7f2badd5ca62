"""One TaskRun: its attempts and its timeout."""

from __future__ import annotations

import pytest
from tests.unit.tekton.documents import pipeline, task


@pytest.mark.slow
def test_retries_count_and_stop_at_the_first_success(run, tmp_path):
    script = f"echo try $(context.task.retry-count); test -e {tmp_path}/once || {{ touch {tmp_path}/once; exit 9; }}"
    ran = run(pipeline(task("a", script, retries=3)))
    record = ran.result.task_runs[0]
    assert (ran.result.reason, ran.lines("a")) == ("Succeeded", ["try 0", "try 1"])
    assert [(item.reason, item.exit_code) for item in record.retries] == [("StepFailed", 9)]
    failed = run(pipeline(task("a", "exit 1", retries=2)), directory="second").result
    assert (failed.reason, len(failed.task_runs[0].retries)) == ("Failed", 2)


def test_the_timeout_of_a_task(run):
    ran = run(pipeline(task("a", "sleep 60", timeout="200ms")))
    record = ran.result.task_runs[0]
    assert (record.reason, record.message) == ("TaskRunTimeout", 'TaskRun "r-a" failed to finish within "200ms"')
    assert ran.result.reason == "Failed"
