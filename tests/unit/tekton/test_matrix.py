"""Fan-out: combinations, their order, includes, what comes out of them."""

from __future__ import annotations

import pytest
from tests.unit.tekton.documents import pipeline, step, task

from penstock.foundation.errors import UsageError
from penstock.tekton.manifest import Matrix
from penstock.tekton.matrix import count, fan_out


def matrix(*params: tuple[str, list[str]], include: list[dict[str, str]] | None = None) -> Matrix:
    return Matrix.model_validate(
        {
            "params": [{"name": name, "value": values} for name, values in params],
            "include": [
                {"params": [{"name": key, "value": value} for key, value in item.items()]} for item in include or []
            ],
        }
    )


def combinations(value: Matrix) -> list[dict[str, object]]:
    return [{param.name: param.value for param in params} for params in fan_out(value)]


def test_the_first_parameter_changes_fastest():
    assert combinations(matrix(("b", ["1", "2"]), ("a", ["x", "y"]))) == [
        {"a": "x", "b": "1"},
        {"a": "x", "b": "2"},
        {"a": "y", "b": "1"},
        {"a": "y", "b": "2"},
    ]


def test_includes_add_to_combinations_or_stand_alone():
    value = matrix(("os", ["linux", "mac"]), include=[{"os": "mac", "flag": "f"}, {"os": "new"}, {"all": "1"}])
    assert combinations(value) == [
        {"os": "linux", "all": "1"},
        {"os": "mac", "flag": "f", "all": "1"},
        {"os": "new"},
    ]
    assert count(value) == 3
    assert combinations(matrix(include=[{"a": "1"}, {"b": "2"}])) == [{"a": "1"}, {"b": "2"}]


def fan(name: str, value: list[str] | str, script: str = "echo $(params.x)", **fields):
    params = {"spec_params": [{"name": "x"}], "matrix": {"params": [{"name": "x", "value": value}]}}
    return task(name, script, **params, **fields)


@pytest.mark.slow
def test_results_of_a_fan_out_are_aggregated(run):
    values = [str(number) for number in range(12)]
    ran = run(
        pipeline(
            fan("m", values, "printf v$(params.x) > $(results.r.path)", results=["r"]),
            task(
                "use",
                steps=[step(command=["echo"], args=["$(params.all[*])", "$(params.n)", "$(params.k)"])],
                spec_params=[{"name": "all", "type": "array"}, {"name": "n"}, {"name": "k"}],
                params=[
                    {"name": "all", "value": ["$(tasks.m.results.r[*])"]},
                    {"name": "n", "value": "$(tasks.m.matrix.length)"},
                    {"name": "k", "value": "$(tasks.m.matrix.r.length)"},
                ],
            ),
            results=[{"name": "all", "value": "$(tasks.m.results.r[*])"}],
        )
    )
    # in the order of the TaskRuns' names, as Tekton: 0, 1, 10, 11, 2, …
    expected = ["v0", "v1", "v10", "v11", *(f"v{number}" for number in range(2, 10))]
    assert ran.lines("use") == [" ".join([*expected, "12", "12"])]
    assert ran.result.results == [("all", expected)]
    assert {record.name for record in ran.result.task_runs} >= {"r-m-0", "r-m-11", "r-use"}


@pytest.mark.slow
def test_a_matrix_from_a_result(run):
    ran = run(
        pipeline(
            task("list", """printf '["a","b"]' > $(results.r.path)""", results=[{"name": "r", "type": "array"}]),
            fan("m", "$(tasks.list.results.r[*])"),
            fan("one", ["z"]),
        )
    )
    assert sorted(ran.lines("m")) == ["a", "b"]
    assert {record.name for record in ran.result.task_runs} == {"r-list", "r-m-0", "r-m-1", "r-one"}


def test_a_fan_out_that_fails_in_part(run):
    ran = run(pipeline(fan("m", ["0", "1"], "exit $(params.x)"), task("after", runAfter=["m"])))
    assert ran.result.message == "Tasks Completed: 1 (Failed: 1, Cancelled 0), Skipped: 1"
    assert {record.name: record.reason for record in ran.result.task_runs} == {
        "r-m-0": "Succeeded",
        "r-m-1": "StepFailed",
    }


def test_an_empty_array_skips_the_task(run):
    ran = run(pipeline(fan("m", ["$(params.none[*])"]), params=[{"name": "none", "type": "array", "default": []}]))
    assert ran.skipped() == {"m": "Matrix Parameters have an empty array"}
    assert ran.result.reason == "Completed"


@pytest.mark.parametrize(
    ("broken", "words"),
    [
        (pipeline(fan("m", [str(number) for number in range(257)])), "257 combinations, at most 256"),
        (
            pipeline(
                fan("m", ["a"], results=["r"]),
                task("u", spec_params=[{"name": "y"}], params=[{"name": "y", "value": "$(tasks.m.results.r)"}]),
            ),
            r"can only be consumed in aggregate using \[\*\]",
        ),
        (pipeline(fan("m", ["a"], params=[{"name": "x", "value": "y"}])), "is a parameter and in the matrix"),
    ],
)
def test_matrices_that_are_refused(run, broken, words):
    with pytest.raises(UsageError, match=words):
        run(broken)


def test_a_matrix_param_must_be_text_in_the_task(run):
    document = fan("m", ["a"])
    document["taskSpec"]["params"] = [{"name": "x", "type": "array"}]
    document["taskSpec"]["steps"] = [step("true")]
    ran = run(pipeline(document))
    assert ran.result.reason == "PipelineValidationFailed"
    assert "param types don't match the user-specified type: [x]" in ran.result.message
