"""Steps one after the other: how each starts and ends."""

from __future__ import annotations

import pytest
from tests.unit.tekton.documents import pipeline, step, task


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


def test_an_ignored_failure_of_a_step(run):
    ran = run(pipeline(task("a", steps=[step("exit 1", onError="continue"), step("echo on")])))
    assert (ran.result.reason, ran.lines("a")[-1]) == ("Succeeded", "on")


def test_the_timeout_of_a_step(run):
    ran = run(pipeline(task("a", steps=[step("sleep 60", name="s", timeout="200ms", onError="continue")])))
    record = ran.result.task_runs[0]
    assert record.message == '"step-s" exited because the step exceeded the specified timeout limit'
    assert record.steps[0].reason == "TimeoutExceeded"


def test_values_never_pass_through_a_shell(run, tmp_path):
    hostile = f"; touch {tmp_path}/owned; $(touch {tmp_path}/owned) `touch {tmp_path}/owned`"
    document = pipeline(task("a", steps=[step(command=["printf", "%s"], args=["$(params.x)"])]), params=[{"name": "x"}])
    ran = run(document, params={"x": hostile})
    assert ran.lines("a") == [hostile]
    assert not (tmp_path / "owned").exists()


def test_kubernetes_expands_variables_and_dollars(run):
    expanded = step(
        command=["printf", "%s\\n"],
        args=["$(A)", "$(B)", "$$(A)", "$$", "$(NOPE)", "$(PATH)"],
        env=[{"name": "A", "value": "1"}, {"name": "B", "value": "$(A)2"}],
    )
    ran = run(
        pipeline(
            task("a", steps=[expanded]),
            task("b", 'echo "$$" | grep -q "^[0-9]*$"; echo "$A"', stepTemplate={"env": [{"name": "A", "value": "t"}]}),
        )
    )
    assert ran.lines("a") == ["1", "12", "$(A)", "$", "$(NOPE)", "$(PATH)"]
    assert ran.lines("b") == ["t"]


def test_scripts_with_and_without_shebang(run):
    ran = run(
        pipeline(
            task("plain", "false; echo not reached", onError="continue"),
            task(
                "sh", "#!/bin/sh\nfalse\necho reached $1", steps=[step("#!/bin/sh\nfalse\necho reached $1", args=["x"])]
            ),
        )
    )
    assert ran.lines("plain") == []
    assert ran.lines("sh") == ["reached x"]


def test_each_step_starts_in_an_empty_directory(run):
    steps = [step("touch here; ls"), step("ls | wc -l")]
    assert run(pipeline(task("a", steps=steps))).lines("a") == ["here", "0"]


@pytest.mark.slow
def test_step_results_and_exit_codes_reach_later_steps(run):
    ran = run(
        pipeline(
            task(
                "a",
                steps=[
                    step(
                        'printf v > $(step.results.r.path); printf \'["p","q"]\' > $(step.results.l.path); exit 3',
                        name="one",
                        results=[{"name": "r"}, {"name": "l", "type": "array"}],
                        onError="continue",
                    ),
                    step(
                        command=["printf", "%s\\n"],
                        args=["$(steps.one.results.r)", "$(steps.one.results.l[*])", "$(steps.one.results.l[1])"],
                    ),
                    step("cat $(steps.step-one.exitCode.path)"),
                    step(
                        "echo never",
                        when=[{"input": "$(steps.one.results.r)", "operator": "notin", "values": ["v"]}],
                    ),
                ],
                results=[{"name": "out", "value": "$(steps.one.results.r)"}],
            ),
            results=[{"name": "out", "value": "$(tasks.a.results.out)"}],
        )
    )
    assert ran.lines("a")[:5] == ["v", "p", "q", "q", "3"]
    assert "never" not in ran.lines("a")
    assert ran.result.results == [("out", "v")]
    record = ran.result.task_runs[0]
    assert [(item.reason, item.exit_code) for item in record.steps] == [
        ("Continued", 3),
        ("Completed", 0),
        ("Completed", 0),
        ("Skipped", 0),
    ]
