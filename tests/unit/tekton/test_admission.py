"""A TaskRun that the API server refuses when it is created ends the run as ``CreateRunFailed``; nothing further starts.

The webhook and the controller of Tekton Pipelines v1.15.0 gave the same outcome for each of these documents.
"""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.tekton.documents import a_task, pipeline, pipeline_run, step, task

from penstock.tekton.admission import TaskRunSpec, refusal
from penstock.tekton.manifest_task import Param, TaskSpec

DENIED = 'admission webhook "validation.webhook.pipeline.tekton.dev" denied the request: validation failed: '
TWICE = {"name": "X", "value": "the name of another parameter in another case"}
OBJECT = {"name": "o", "type": "object", "properties": {"a": {}, "b": {}}, "default": {"a": "A"}}


def echo(*args: str, **fields: Any) -> dict[str, Any]:
    return step(command=["echo"], args=list(args), name="s", **fields)


@pytest.mark.slow
def test_a_final_task_with_an_undefined_parameter(run):
    ran = run(
        pipeline_run(
            task("t", "echo t"),
            finally_=[
                task("f", steps=[step("echo $(params.undefined)", name="s")], onError="continue"),
                task("g", "echo g"),
            ],
        )
    )
    assert (ran.result.status, ran.result.reason) == ("False", "CreateRunFailed")
    message = 'non-existent variable in "echo $(params.undefined)": spec.taskSpec.steps[0].script'
    assert ran.result.message == "error creating TaskRun r-f for PipelineTask f: " + DENIED + message
    assert ran.reasons() == {"t": "Succeeded"}
    assert not ran.lines("g")


def test_defaults_of_an_object_are_dropped_as_a_whole(run):
    ran = run(
        pipeline_run(
            task("t", steps=[echo("$(params.o.a) $(params.o.b)")], onError="continue"),
            params=[OBJECT],
            finally_=[task("f", "echo f")],
            run={"params": [{"name": "o", "value": {"b": "B"}}]},
        )
    )
    assert (ran.result.reason, ran.result.task_runs, ran.result.refused) == ("CreateRunFailed", [], True)
    assert 'non-existent variable in "$(params.o.a) B": spec.taskSpec.steps[0].args[0]' in ran.result.message


# what a value brings with it: (the parameter's value, fields of the step, Tekton's words)
VALUES: list[tuple[Any, dict[str, Any], str]] = [
    ("use $(params.image) here", {}, 'non-existent variable in "xuse $(params.image) here"'),
    ("$(params['image'])", {}, "non-existent variable in"),
    ("$(params.text.a.b)", {}, "Only two dot-separated components after the prefix"),
    ("$(params.text)", {"onError": "$(params.text)"}, "steps[0].onError"),
    ("$(context.taskRun.nothing)", {}, "non-existent variable in"),
    ("$(context.task.nothing)", {"env": [{"name": "E", "value": "$(params.text)"}]}, "non-existent variable in"),
    ("$(steps.s.outputs.x)", {}, "feature flag enable-artifacts should be set to true"),
    ("$(tasks.t.inputs.x)", {}, "feature flag enable-artifacts should be set to true"),
    ("$(step.artifacts.path)", {}, "feature flag enable-artifacts should be set to true"),
    ("$(artifacts.path)", {}, "feature flag enable-artifacts should be set to true"),
    ("$(steps.s.results.r)", {"image": "$(params.text)"}, "stepResult substitutions are only allowed in"),
    ("$(steps.s.outputs.x)", {"args": [], "workingDir": "$(params.text)"}, "stepArtifact substitutions are only"),
    ("maybe", {"onError": "$(params.text)"}, "invalid value: 'maybe'"),
    ("", {"image": "$(params.text)"}, "missing field: spec.taskSpec.steps[0].image"),
    ("$(params.list[*])", {}, 'non-existent variable in "x$(params.list[*])"'),
]


@pytest.mark.parametrize(("value", "fields", "words"), VALUES)
def test_references_inside_values(run, value, fields, words):
    """Neither retried nor followed by anything: no TaskRun was made."""
    inner = {"command": ["echo"], "args": ["x$(params.text)"], **fields}
    ran = run(
        pipeline_run(
            task("t", steps=[step(**inner)], retries=1),
            params=[{"name": "text"}, {"name": "list", "type": "array", "default": ["a"]}],
            finally_=[task("f", "echo f")],
            run={"params": [{"name": "text", "value": value}]},
        )
    )
    assert (ran.result.status, ran.result.reason, ran.result.task_runs) == ("False", "CreateRunFailed", [])
    assert words in ran.result.message


def test_an_empty_array_in_the_when_of_a_step(run):
    when = [{"input": "x", "operator": "notin", "values": ["$(params.arr[*])"]}]
    declared, given = [{"name": "arr", "type": "array"}], {"params": [{"name": "arr", "value": []}]}
    ran = run(pipeline_run(task("t", steps=[step("echo ran", when=when)]), params=declared, run=given))
    assert (ran.result.reason, ran.result.task_runs) == ("CreateRunFailed", [])
    assert "expecting non-empty values field: spec.taskSpec.steps[0].when[0]" in ran.result.message
    of_the_task = run(pipeline_run(task("t", "echo ran", when=when), params=declared, run=given), directory="second")
    assert (of_the_task.result.reason, of_the_task.lines("t")) == ("Succeeded", ["ran"])


def test_a_result_that_holds_a_reference(run):
    """Results are put in like parameters: what a task wrote can keep the next one from being made."""
    ran = run(
        pipeline_run(
            task("a", "printf '$%s' '(params.image)' > $(results.r.path)", results=["r"]),
            task("b", steps=[echo("$(tasks.a.results.r)")], retries=2),
            finally_=[task("f", "echo f")],
            results=[{"name": "out", "value": "$(tasks.a.results.r)"}],
        )
    )
    assert (ran.result.reason, ran.reasons()) == ("CreateRunFailed", {"a": "Succeeded"})
    assert 'non-existent variable in "$(params.image)"' in ran.result.message
    assert (ran.result.results, ran.result.skipped_tasks, ran.lines("f")) == ([], [], [])


@pytest.mark.slow
def test_what_was_made_before_runs_to_its_end(run):
    """A TaskRun of the same look at the run exists already: one at a time, but all of them, and no others."""
    bad = task("c", steps=[step("echo $(params.undefined)")])
    ran = run(
        pipeline_run(
            task("first", "echo first"),
            task("last", "echo last", runAfter=["first"]),
            finally_=[task("a", "echo a"), task("b", "echo b"), bad, task("d", "echo d")],
        ),
        max_parallel=1,
    )
    assert ran.result.reason == "CreateRunFailed"
    assert ran.reasons() == dict.fromkeys(("first", "last", "a", "b"), "Succeeded")


@pytest.mark.slow
def test_the_matrix_up_to_the_combination_that_is_refused(run):
    given = {"params": [{"name": "second", "value": "b"}, {"name": "third", "value": "$(params.no)"}]}
    fan_out = {"params": [{"name": "m", "value": ["a", "$(params.second)", "c"]}]}
    document = pipeline_run(
        task("t", "echo $(params.m)", matrix=fan_out, spec_params=[{"name": "m"}]),
        task("u", "echo $(params.third)", matrix=fan_out),
        params=[{"name": "second"}, {"name": "third"}],
        run=given,
    )
    ran = run(document)
    assert (ran.result.reason, [record.name for record in ran.result.task_runs]) == (
        "CreateRunFailed",
        ["r-t-0", "r-t-1", "r-t-2"],
    )
    assert sorted(ran.lines("t")) == ["a", "b", "c"]


def test_a_combination_is_admitted_by_itself(run):
    """The first TaskRun is made and runs to its end, the second is refused."""
    fan_out = {"include": [{"name": "i", "params": [{"name": "n", "value": "1"}]}, {"name": "j", "params": [TWICE]}]}
    ran = run(pipeline_run(task("t", "echo ran", params=[{"name": "x", "value": "1"}], matrix=fan_out)))
    assert (ran.result.reason, [record.name for record in ran.result.task_runs]) == ("CreateRunFailed", ["r-t-0"])
    assert ran.lines("t") == ["ran"]


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"retries": -1}, "invalid value: -1 should be >= 0: spec.retries"),
        ({"timeout": "-5s"}, "invalid value: -5s should be >= 0: spec.timeout"),
        (
            {"params": [{"name": "X", "value": "1"}, {"name": "x", "value": "2"}]},
            "the parameter 'x' appears more than once: spec.params[1].name",
        ),
        (
            {"workspaces": [{"name": "w"}, {"name": "W", "workspace": "w"}]},
            "expected exactly one, got both: spec.workspaces[1].name",
        ),
        ({"workspaces": [{"name": "w"}, {"name": "w"}]}, "expected exactly one, got both: spec.workspaces[1].name"),
    ],
)
def test_what_only_a_task_run_is_refused_for(run, fields, words):
    bound = {"workspaces": [{"name": "w", "emptyDir": {}}]}
    ran = run(pipeline_run(task("t", "true", **fields), workspaces=[{"name": "w"}], run=bound))
    assert (ran.result.reason, ran.result.task_runs) == ("CreateRunFailed", [])
    assert ran.result.message.endswith(DENIED + words)


def test_a_task_of_its_own_is_refused_when_its_pod_is_made(run):
    """Its TaskRun holds only the reference: it is admitted, tried again, and final tasks run."""
    refers = {"name": "t", "taskRef": {"name": "own"}, "retries": 1}
    ran = run(
        pipeline_run(
            {**refers, "params": [{"name": "text", "value": "$(params.text)"}]},
            params=[{"name": "text"}],
            finally_=[task("f", "echo f")],
            run={"params": [{"name": "text", "value": "use $(params.image) here"}]},
        ),
        a_task("own", echo("$(params.text)"), params=[{"name": "text"}]),
    )
    assert (ran.result.reason, ran.lines("f")) == ("Failed", ["f"])
    record = next(record for record in ran.result.task_runs if record.pipeline_task == "t")
    assert (record.reason, len(record.retries)) == ("PodCreationFailed", 1)
    assert record.message.endswith("Maybe missing or invalid Task default/own")


def test_a_pod_is_made_of_the_whole_task(run):
    """Not only variables: the specification as a whole is looked at once more, with the parameters in."""
    given = {"params": [{"name": "arr", "value": []}, {"name": "image", "value": ""}]}
    refers = {"name": "t", "taskRef": {"name": "own"}, **given}
    when = [{"input": "x", "operator": "notin", "values": ["$(params.arr[*])"]}]
    own = a_task("own", step("true", when=when), params=[{"name": "arr", "type": "array"}, {"name": "image"}])
    own["spec"]["steps"].append({"image": "$(params.image)", "script": "true"})
    message = run(pipeline(refers), own).result.task_runs[0].message
    assert "expecting non-empty values field: steps[0].when[0].values" in message
    assert "missing field: steps[1].image" in message


def test_results_reach_only_tasks_that_are_written_inside(run):
    """A TaskRun that refers to a Task gets the Task as it is: its reference stays text."""
    refers = {"name": "b", "taskRef": {"name": "own"}, "runAfter": ["a"]}
    made = task("a", "printf x > $(results.r.path)", results=["r"])
    inside = task("c", steps=[echo("$(tasks.a.results.r)")])
    ran = run(pipeline(made, refers, inside), a_task("own", echo("$(tasks.a.results.r)")))
    assert (ran.lines("b"), ran.lines("c")) == (["$(tasks.a.results.r)"], ["x"])


def test_a_result_that_only_a_step_template_names(run):
    """The graph of a run is built before templates are merged: such a task does not wait for the result."""
    inner = {"steps": [step(command=["echo"])], "stepTemplate": {"args": ["$(tasks.a.results.r)"]}}
    made = task("a", "printf x > $(results.r.path)", results=["r"])
    ran = run(pipeline(made, task("b", **inner)))
    assert (ran.result.reason, ran.result.task_runs) == ("PipelineValidationFailed", [])
    ordered = run(pipeline(made, task("b", runAfter=["a"], **inner)), directory="second")
    assert (ordered.result.reason, ordered.lines("b")) == ("Succeeded", ["x"])


def spec(*steps: dict[str, Any], **fields: Any) -> TaskSpec:
    return TaskSpec.model_validate({"steps": list(steps), **fields})


def admitted(task_spec: TaskSpec | None, *params: tuple[str, Any]) -> str:
    given = tuple(Param(name=name, value=value) for name, value in params)
    return refusal(TaskRunSpec(task_spec, given, (), 0, 60.0)).removeprefix(DENIED)


def test_parameters_that_are_given_need_not_be_declared():
    assert not admitted(
        spec(echo("$(params.x) $(params.o.k)", "$(params.l[*])")), ("x", "1"), ("o", {"k": "v"}), ("l", [])
    )
    assert "non-existent variable" in admitted(spec(echo("$(params.o.k)")), ("o", {"other": "v"}))
    assert "variable type invalid" in admitted(spec(step("echo $(params.l[*])")), ("l", ["a"]))
    assert "variable type invalid" in admitted(spec(echo("$(params.o)")), ("o", {"k": "v"}))


def test_what_is_given_and_what_is_declared_must_fit():
    keys = [{"name": "o", "type": "object", "properties": {"k": {}}}]
    assert not admitted(spec(echo("$(params.o.k)"), params=keys), ("o", {"other": "v"}))
    assert "missing field: o.properties" in admitted(spec(echo("x"), params=[{"name": "o"}]), ("o", {"k": "v"}))
    assert "is invalid" in admitted(spec(echo("x")), ("1x", "v"))
    assert "is invalid" in admitted(spec(echo("x")), ("o", {"a.b": "v"}))


def test_a_reference_to_a_task_was_admitted_on_its_own():
    assert not admitted(None, ("x", "$(params.nobody)"))
    assert "appears more than once" in admitted(None, ("x", "1"), ("X", "2"))
