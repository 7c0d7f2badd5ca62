"""Order, results, params, contexts: what a pipeline does when nothing goes wrong."""

from __future__ import annotations

import pytest
from tests.unit.tekton.documents import pipeline, task


def test_a_pipeline_of_one_task_succeeds(run):
    ran = run(pipeline(task("a", "echo hello")))
    assert (ran.result.status, ran.result.reason) == ("True", "Succeeded")
    assert ran.result.message == "Tasks Completed: 1 (Failed: 0, Cancelled 0), Skipped: 0"
    assert ran.lines("a") == ["hello"]
    record = ran.result.task_runs[0]
    assert (record.name, record.exit_code, record.message) == ("r-a", 0, "All Steps have completed executing")
    assert (ran.directory / record.steps[0].log).read_text() == "hello\n"


def test_independent_tasks_run_at_the_same_time(run, tmp_path):
    meet = "touch {0}/{1}; while [ ! -e {0}/{2} ]; do sleep 0.01; done"
    ran = run(pipeline(task("a", meet.format(tmp_path, "a", "b")), task("b", meet.format(tmp_path, "b", "a"))))
    assert ran.result.succeeded


@pytest.mark.slow
def test_max_parallel_holds_tasks_back(run, tmp_path):
    alone = f"mkdir {tmp_path}/busy; sleep 0.05; rmdir {tmp_path}/busy"
    ran = run(pipeline(*(task(f"t{number}", alone) for number in range(4))), max_parallel=1)
    assert ran.result.succeeded
