"""How a run ends: condition, skipped tasks, results, timeouts."""

from __future__ import annotations

import pytest
from tests.unit.tekton.documents import pipeline, pipeline_run, task


def when(value: str, *values: str, operator: str = "in") -> list[dict[str, object]]:
    return [{"input": value, "operator": operator, "values": list(values)}]


@pytest.mark.slow
def test_a_pipeline_result_that_was_not_written(run):
    results = [{"name": "out", "value": "$(tasks.a.results.r)"}, {"name": "good", "value": "$(tasks.b.results.r)"}]
    other = task("b", "printf x > $(results.r.path)", results=["r"])
    ran = run(pipeline(task("a", "true", results=["r"]), other, results=results))
    assert (ran.result.status, ran.result.reason) == ("False", "CouldntGetPipelineResult")
    assert "invalid pipelineresults [out], the referenced results don't exist" in ran.result.message
    failed = run(pipeline(task("a", "exit 1", results=["r"]), other, results=results), directory="second")
    assert (failed.result.reason, failed.result.results) == ("Failed", [("good", "x")])


@pytest.mark.slow
def test_finally_runs_after_a_failure_and_knows_it(run):
    status = {
        "spec_params": [{"name": name} for name in ("one", "two", "three", "all", "why")],
        "params": [
            {"name": "one", "value": "$(tasks.good.status)"},
            {"name": "two", "value": "$(tasks.bad.status)"},
            {"name": "three", "value": "$(tasks.never.status)"},
            {"name": "all", "value": "$(tasks.status)"},
            {"name": "why", "value": "$(tasks.bad.reason)"},
        ],
    }
    ran = run(
        pipeline(
            task("good", "printf v > $(results.r.path)", results=["r"]),
            task("bad", "exit 1", runAfter=["good"]),
            task("never", runAfter=["bad"]),
            finally_=[
                task("tell", "echo $(params.one) $(params.two) $(params.three) $(params.all) $(params.why)", **status),
                task("only-if", "echo yes", when=when("$(tasks.status)", "Failed")),
                task("not-if", "echo never", when=when("$(tasks.bad.status)", "Succeeded")),
            ],
            results=[{"name": "r", "value": "$(tasks.good.results.r)"}],
        )
    )
    assert ran.lines("tell") == ["Succeeded Failed None Failed StepFailed"]
    assert ran.lines("only-if") == ["yes"]
    assert ran.skipped() == {
        "never": "PipelineRun was stopping",
        "not-if": "When Expressions evaluated to false",
    }
    assert ran.result.message == "Tasks Completed: 4 (Failed: 1, Cancelled 0), Skipped: 2"
    assert ran.result.results == [("r", "v")]


def test_a_failed_final_task_fails_the_run(run):
    ran = run(pipeline(task("a"), finally_=[task("f", "exit 1")]))
    assert (ran.result.reason, ran.result.message) == (
        "Failed",
        "Tasks Completed: 2 (Failed: 1, Cancelled 0), Skipped: 0",
    )


def test_the_timeout_of_the_run(run):
    ran = run(
        pipeline_run(
            task("a", "sleep 60"),
            task("b", runAfter=["a"]),
            finally_=[task("f", "echo never")],
            run={"timeouts": {"pipeline": "300ms"}},
        )
    )
    assert (ran.result.status, ran.result.reason) == ("False", "PipelineRunTimeout")
    assert ran.result.message == 'PipelineRun "r" failed to finish within "300ms"'
    assert ran.reasons() == {"a": "TaskRunCancelled"}
    assert ran.result.task_runs[0].message.endswith("TaskRun cancelled as the PipelineRun it belongs to has timed out.")


def test_the_timeout_of_the_tasks_lets_finally_run(run):
    ran = run(
        pipeline_run(
            task("a", "sleep 60"),
            task("b", runAfter=["a"]),
            finally_=[task("f", "echo last")],
            run={"timeouts": {"pipeline": "1m", "tasks": "300ms"}},
        )
    )
    assert ran.lines("f") == ["last"]
    assert ran.result.reason == "PipelineRunTimeout"
    assert ran.result.message == 'PipelineRun "r" failed due to tasks failed to finish within "300ms"'
    assert ran.skipped() == {"b": "PipelineRun was stopping"}


def test_the_timeout_of_finally(run):
    ran = run(
        pipeline_run(
            task("a"), finally_=[task("f", "sleep 60")], run={"timeouts": {"pipeline": "1m", "finally": "300ms"}}
        )
    )
    assert (ran.result.reason, ran.reasons()["f"]) == ("Failed", "TaskRunCancelled")
    assert ran.result.message == "Tasks Completed: 2 (Failed: 1, Cancelled 0), Skipped: 0"
