"""What a run becomes when something fails, is skipped or times out: conditions, reasons and messages as Tekton's."""

from __future__ import annotations

import pytest
from tests.unit.tekton.documents import pipeline, pipeline_run, step, task

from penstock.foundation.errors import UsageError


def when(value: str, *values: str, operator: str = "in") -> list[dict[str, object]]:
    return [{"input": value, "operator": operator, "values": list(values)}]


def test_a_failed_step_skips_the_rest_and_stops_the_run(run):
    ran = run(
        pipeline(
            task("a", steps=[step("exit 3", name="bad"), step("echo never")]),
            task("b", "echo never", runAfter=["a"]),
        )
    )
    assert (ran.result.status, ran.result.reason) == ("False", "Failed")
    assert ran.result.message == "Tasks Completed: 1 (Failed: 1, Cancelled 0), Skipped: 1"
    assert ran.skipped() == {"b": "PipelineRun was stopping"}
    record = ran.result.task_runs[0]
    assert (record.reason, record.exit_code, record.failed_step) == ("StepFailed", 3, "bad")
    assert record.message == '"step-bad" exited with code 3: Error'
    assert [(item.name, item.exit_code, item.reason) for item in record.steps] == [
        ("bad", 3, "Error"),
        ("unnamed-1", 1, "Skipped"),
    ]


def test_a_program_that_is_not_there_and_a_signal(run):
    ran = run(
        pipeline(task("a", steps=[step(command=["no-such-program"], onError="continue")]), task("b", "kill -9 $$"))
    )
    assert ran.reasons() == {"a": "StepFailed", "b": "StepFailed"}
    assert {record.pipeline_task: record.exit_code for record in ran.result.task_runs} == {"a": 1, "b": 255}


def test_a_signal_where_the_failure_is_ignored(run):
    """Go's exit code of a process that a signal ended is -1: in the file and the record of the step."""
    steps = [step("kill -9 $$", name="s", onError="continue"), step("cat $(steps.step-s.exitCode.path)", name="t")]
    ran = run(pipeline(task("a", steps=steps)))
    assert (ran.result.reason, ran.lines("a")) == ("Succeeded", ["-1"])
    assert [(item.exit_code, item.reason) for item in ran.result.task_runs[0].steps] == [
        (-1, "Continued"),
        (0, "Completed"),
    ]


def test_other_branches_finish_but_nothing_new_starts(run):
    ran = run(
        pipeline(
            task("bad", "exit 1"),
            task("slow", "sleep 0.3"),
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


def test_a_pipeline_result_that_was_not_written(run):
    results = [{"name": "out", "value": "$(tasks.a.results.r)"}, {"name": "good", "value": "$(tasks.b.results.r)"}]
    other = task("b", "printf x > $(results.r.path)", results=["r"])
    ran = run(pipeline(task("a", "true", results=["r"]), other, results=results))
    assert (ran.result.status, ran.result.reason) == ("False", "CouldntGetPipelineResult")
    assert "invalid pipelineresults [out], the referenced results don't exist" in ran.result.message
    failed = run(pipeline(task("a", "exit 1", results=["r"]), other, results=results), directory="second")
    assert (failed.result.reason, failed.result.results) == ("Failed", [("good", "x")])


def test_a_result_that_nobody_declares(run):
    document = pipeline(
        task("a"), task("b", spec_params=[{"name": "x"}], params=[{"name": "x", "value": "$(tasks.a.results.r)"}])
    )
    ran = run(document)
    assert (ran.result.reason, ran.result.task_runs, ran.result.refused) == ("InvalidTaskResultReference", [], True)
    assert '"r" is not a named result returned by pipeline task "a"' in ran.result.message


def test_an_index_beyond_the_end_of_a_result(run):
    ran = run(
        pipeline(
            task("a", "printf '[\"x\"]' > $(results.r.path)", results=[{"name": "r", "type": "array"}]),
            task("b", spec_params=[{"name": "x"}], params=[{"name": "x", "value": "$(tasks.a.results.r[1])"}]),
        )
    )
    assert ran.result.reason == "PipelineValidationFailed"
    assert "array Result Index 1 for Task a Result r is out of bound of size 1" in ran.result.message


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


def test_retries_count_and_stop_at_the_first_success(run, tmp_path):
    script = f"echo try $(context.task.retry-count); test -e {tmp_path}/once || {{ touch {tmp_path}/once; exit 9; }}"
    ran = run(pipeline(task("a", script, retries=3)))
    record = ran.result.task_runs[0]
    assert (ran.result.reason, ran.lines("a")) == ("Succeeded", ["try 0", "try 1"])
    assert [(item.reason, item.exit_code) for item in record.retries] == [("StepFailed", 9)]
    failed = run(pipeline(task("a", "exit 1", retries=2)), directory="second").result
    assert (failed.reason, len(failed.task_runs[0].retries)) == ("Failed", 2)


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


def test_an_ignored_failure_of_a_step(run):
    ran = run(pipeline(task("a", steps=[step("exit 1", onError="continue"), step("echo on")])))
    assert (ran.result.reason, ran.lines("a")[-1]) == ("Succeeded", "on")


def test_the_timeout_of_a_task(run):
    ran = run(pipeline(task("a", "sleep 60", timeout="200ms")))
    record = ran.result.task_runs[0]
    assert (record.reason, record.message) == ("TaskRunTimeout", 'TaskRun "r-a" failed to finish within "200ms"')
    assert ran.result.reason == "Failed"


def test_the_timeout_of_a_step(run):
    ran = run(pipeline(task("a", steps=[step("sleep 60", name="s", timeout="200ms", onError="continue")])))
    record = ran.result.task_runs[0]
    assert record.message == '"step-s" exited because the step exceeded the specified timeout limit'
    assert record.steps[0].reason == "TimeoutExceeded"


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


@pytest.mark.parametrize(
    ("params", "given", "reason", "words"),
    [
        ([{"name": "x"}], {}, "ParameterMissing", "pipelineRun missing parameters: [x]"),
        (
            [{"name": "x"}],
            {"x": ["a"]},
            "ParameterTypeMismatch",
            "parameters have inconsistent types : [x]",
        ),
        (
            [{"name": "x", "type": "object", "properties": {"k": {}, "l": {}}}],
            {"x": {"k": "1"}},
            "ObjectParameterMissKeys",
            "pipelineRun missing object keys for parameters: map[x:[l]]",
        ),
        (
            [{"name": "x", "default": "$(params.y)"}, {"name": "y", "default": "$(params.x)"}],
            {},
            "PipelineValidationFailed",
            "circular dependency detected",
        ),
    ],
)
def test_parameters_that_do_not_fit(run, params, given, reason, words):
    ran = run(pipeline(task("a"), params=params), params=given)
    assert (ran.result.status, ran.result.reason, ran.result.refused) == ("False", reason, True)
    assert words in ran.result.message


def test_parameters_that_are_too_many_are_ignored(run):
    assert run(pipeline(task("a")), params={"unknown": "x"}).result.succeeded


def test_an_index_beyond_the_end_of_a_parameter(run):
    document = pipeline(
        task("a", spec_params=[{"name": "v"}], params=[{"name": "v", "value": "$(params.list[2])"}]),
        params=[{"name": "list", "type": "array"}],
    )
    ran = run(document, params={"list": ["a", "b"]})
    assert ran.result.reason == "ParamArrayIndexingInvalid"
    assert "non-existent param references:[$(params.list[2])]" in ran.result.message


def test_a_task_that_misses_a_parameter(run):
    ran = run(pipeline(task("a", "echo $(params.x)", spec_params=[{"name": "x"}])))
    assert ran.result.reason == "PipelineValidationFailed"
    assert "missing values for these params which have no default values: [x]" in ran.result.message


def test_a_workspace_that_is_not_bound(run):
    ran = run(pipeline(task("a"), workspaces=[{"name": "w"}]))
    assert ran.result.reason == "InvalidWorkspaceBindings"
    with pytest.raises(UsageError, match="there is no directory"):
        run(pipeline(task("a"), workspaces=[{"name": "w"}]), workspaces={"w": ran.directory / "nothing"})
