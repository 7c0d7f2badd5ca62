"""Results that are not what was declared: of another type, too large, directories, links, pipes."""

from __future__ import annotations

import pytest
from tests.unit.tekton.documents import pipeline, step, task

UNREADABLE = ["mkdir {}", "mkdir d; ln -s $PWD/d {}", "ln -s r {}", "mkfifo {}"]


@pytest.mark.parametrize("make", UNREADABLE)
def test_a_result_that_cannot_be_read(run, make):
    """The entrypoint fails when it has let the next step start, which then fails on the same file."""
    script = f"{make.format('$(results.r.path)')}; printf q > $(results.q.path)"
    ran = run(pipeline(task("t", steps=[step(script, name="s"), step("echo next", name="u")], results=["r", "q"])))
    record = ran.result.task_runs[0]
    assert (ran.result.reason, record.reason, record.message) == (
        "Failed",
        "StepFailed",
        '"step-s" exited with code 1: Error',
    )
    assert [(item.name, item.exit_code) for item in record.steps] == [("s", 1), ("u", 1)]
    assert "next" in ran.lines("t")
    assert record.results == []
    assert any(line.startswith("Error executing command: ") and "/results/r: " in line for line in ran.lines("t"))


@pytest.mark.parametrize(("code", "on_error", "shown"), [(3, "stopAndFail", 1), (3, "continue", 3), (0, "continue", 1)])
def test_a_failed_step_with_a_result_that_cannot_be_read(run, code, on_error, shown):
    script = f"mkdir $(results.r.path); exit {code}"
    steps = [step(script, name="s", onError=on_error), step("echo next")]
    ran = run(pipeline(task("t", steps=steps, results=["r"])))
    assert ran.result.task_runs[0].message == f'"step-s" exited with code {shown}: Error'
    assert ("next" in ran.lines("t")) == (on_error == "continue")


def test_a_result_that_is_a_link(run, tmp_path):
    (tmp_path / "file").write_text("linked")
    script = f"ln -s {tmp_path}/file $(results.r.path); ln -s {tmp_path}/nothing $(results.q.path)"
    ran = run(pipeline(task("t", script, results=["r", "q"])))
    assert (ran.result.reason, [(item.name, item.value) for item in ran.result.task_runs[0].results]) == (
        "Succeeded",
        [("r", "linked")],
    )


@pytest.mark.slow
def test_a_result_of_a_step_that_is_a_link_or_a_directory(run, tmp_path):
    (tmp_path / "file").write_text("linked")
    make = f"ln -s {tmp_path}/file $(step.results.q.path)"
    use = step(command=["echo", "$(steps.s.results.q)"])
    ran = run(pipeline(task("t", steps=[step(make, name="s", results=[{"name": "q"}]), use])))
    assert (ran.result.reason, ran.lines("t")) == ("Succeeded", ["linked"])
    make = "printf r > $(results.r.path); mkdir $(step.results.q.path)"
    steps = [step(make, name="s", results=[{"name": "q"}])]
    ran = run(pipeline(task("t", steps=steps, results=["r"])), directory="second")
    record = ran.result.task_runs[0]
    # the task's results were reported before the step's were looked at
    assert (record.reason, [(item.name, item.value) for item in record.results]) == ("StepFailed", [("r", "r")])


@pytest.mark.parametrize(
    ("kind", "text"), [("array", "no json"), ("array", "[1]"), ("object", '{"k": 1}'), ("object", '["x"]')]
)
def test_a_result_of_another_type_than_declared(run, kind, text):
    declared = {"name": "r", "type": kind, **({"properties": {"k": {}}} if kind == "object" else {})}
    ran = run(pipeline(task("a", f"printf '%s' '{text}' > $(results.r.path)", results=[declared])))
    record = ran.result.task_runs[0]
    assert record.reason == "TaskRunValidationFailed"
    assert "Provided results don't match declared results" in record.message


def test_an_object_result_without_its_keys(run):
    declared = {"name": "r", "type": "object", "properties": {"k": {}, "l": {}}}
    ran = run(pipeline(task("a", """printf '{"k":"v"}' > $(results.r.path)""", results=[declared])))
    assert "missing keys for these results which are required in TaskResult's properties map[r:[l]]" in (
        ran.result.task_runs[0].message
    )


def test_results_have_a_limit(run):
    write = "head -c {} /dev/zero | tr '\\0' x > $(results.r.path)"
    assert run(pipeline(task("a", write.format(3900), results=["r"]))).result.succeeded
    ran = run(pipeline(task("a", write.format(4100), results=["r"])), directory="second")
    assert ran.result.task_runs[0].reason == "StepFailed"
    assert "Termination message is above max allowed size 4096, caused by large task result." in ran.lines("a")
