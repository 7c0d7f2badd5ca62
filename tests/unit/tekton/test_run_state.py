"""Which tasks start, are skipped, and why."""

from __future__ import annotations

import pytest
from tests.unit.tekton.documents import pipeline, task


def when(value: str, *values: str, operator: str = "in") -> list[dict[str, object]]:
    return [{"input": value, "operator": operator, "values": list(values)}]


def test_other_branches_finish_but_nothing_new_starts(run, tmp_path):
    failed = tmp_path / "failed"
    ran = run(
        pipeline(
            task("bad", f"touch {failed}; exit 1"),
            task("slow", f"while [ ! -e {failed} ]; do sleep 0.01; done; sleep 0.3"),
            task("next", "echo never", runAfter=["slow"]),
        )
    )
    assert ran.reasons() == {"bad": "StepFailed", "slow": "Succeeded"}
    assert ran.skipped() == {"next": "PipelineRun was stopping"}
    assert ran.result.message == "Tasks Completed: 2 (Failed: 1, Cancelled 0), Skipped: 1"


def test_when_skips_one_task_and_run_after_goes_on(run):
    ran = run(
        pipeline(
            task("no", "echo never", when=when("a", "b", "c")),
            task("after", "echo yes", runAfter=["no"]),
            task("notin", "echo yes", when=when("a", "b", operator="notin")),
            task("array", "echo yes", when=when("b", "$(params.list[*])")),
            params=[{"name": "list", "type": "array", "default": ["a", "b"]}],
        )
    )
    assert (ran.result.status, ran.result.reason) == ("True", "Completed")
    assert ran.result.message == "Tasks Completed: 3 (Failed: 0, Cancelled 0), Skipped: 1"
    assert ran.skipped() == {"no": "When Expressions evaluated to false"}
    assert ran.result.skipped_tasks[0].when_expressions == [{"input": "a", "operator": "in", "values": ["b", "c"]}]


def test_who_depends_on_a_skipped_task_by_its_result(run):
    use = {"spec_params": [{"name": "x"}], "params": [{"name": "x", "value": "$(tasks.no.results.r)"}]}
    ran = run(
        pipeline(
            task("no", "echo never", when=when("a", "b"), results=["r"]),
            task("uses", "echo never", **use),
            task("child", "echo never", runAfter=["uses"]),
            task("asks", "echo never", when=when("$(tasks.no.results.r)", "x")),
            finally_=[task("last", "echo never", **use)],
        )
    )
    assert ran.result.reason == "Completed"
    assert ran.skipped() == {
        "no": "When Expressions evaluated to false",
        "uses": "Results were missing",
        "child": "Parent Tasks were skipped",
        "asks": "When Expressions evaluated to false",
        "last": "Results were missing",
    }


def test_a_result_that_was_not_written(run):
    ran = run(
        pipeline(
            task("a", "true", results=["r"]),
            task("b", "true", spec_params=[{"name": "x"}], params=[{"name": "x", "value": "$(tasks.a.results.r)"}]),
        )
    )
    assert ran.result.reason == "PipelineValidationFailed"
    assert ran.result.message == (
        "Tasks Completed: 1 (Failed: 0, Cancelled 0), Skipped: 0, Failed Validation: 1 "
        '(task "a" completed successfully but did not emit the result "r", which is referenced by task "b")'
    )


def test_finally_runs_after_a_result_was_missing(run):
    ran = run(
        pipeline(
            task("a", "true", results=["r"]),
            task("b", spec_params=[{"name": "x"}], params=[{"name": "x", "value": "$(tasks.a.results.r)"}]),
            task("c", runAfter=["b"]),
            finally_=[task("f", "echo last")],
        )
    )
    assert (ran.result.reason, ran.lines("f")) == ("PipelineValidationFailed", ["last"])
    assert ran.skipped() == {"c": "PipelineRun was stopping"}


@pytest.mark.slow
def test_an_ignored_failure_of_a_pipeline_task(run):
    ran = run(
        pipeline(
            task("a", "printf v > $(results.r.path); exit 1", onError="continue", results=["r"]),
            task(
                "b",
                "echo $(params.x)",
                spec_params=[{"name": "x"}],
                params=[{"name": "x", "value": "$(tasks.a.results.r)"}],
            ),
            finally_=[
                task(
                    "f",
                    "echo $(params.x)",
                    spec_params=[{"name": "x"}],
                    params=[{"name": "x", "value": "$(tasks.status)"}],
                )
            ],
        )
    )
    assert (ran.result.status, ran.result.reason) == ("True", "Succeeded")
    assert ran.result.message == "Tasks Completed: 3 (Failed: 1 (Ignored: 1), Cancelled 0), Skipped: 0"
    assert ran.reasons()["a"] == "FailureIgnored"
    assert (ran.lines("b"), ran.lines("f")) == (["v"], ["Failed"])
