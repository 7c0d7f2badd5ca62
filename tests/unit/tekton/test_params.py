"""Parameters that fit, and those that do not."""

from __future__ import annotations

import pytest
from tests.unit.tekton.documents import pipeline, pipeline_run, step, task


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


def test_params_of_every_notation(run):
    ran = run(
        pipeline_run(
            task(
                "a",
                steps=[
                    step(
                        command=["printf", "%s\\n"],
                        args=[
                            "$(params.s)",
                            '$(params["s"])',
                            "$(params['s'])",
                            "$(params.a[1])",
                            "$(params.a[*])",
                            "$(params.o.k)",
                        ],
                    )
                ],
            ),
            params=[
                {"name": "s", "default": "$(params.base)/x"},
                {"name": "base", "default": "root"},
                {"name": "a", "type": "array", "default": ["1"]},
                {"name": "o", "type": "object", "properties": {"k": {}}, "default": {"k": "d"}},
            ],
            run={"params": [{"name": "a", "value": ["p", "q"]}]},
        ),
        params={"o": "k:given"},
    )
    assert ran.lines("a") == ["root/x", "root/x", "root/x", "q", "p", "q", "given"]


@pytest.mark.parametrize(("given", "text"), [("a,b", "a b"), ('["x","y, z"]', "x y, z")])
def test_an_array_from_a_command_line(run, given, text):
    document = pipeline(
        task("a", steps=[step(command=["echo"], args=["$(params.list[*])"])]),
        params=[{"name": "list", "type": "array"}],
    )
    assert run(document, params={"list": given}).lines("a") == [text]
