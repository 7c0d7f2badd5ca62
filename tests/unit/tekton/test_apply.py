"""Values in a task's specification."""

from __future__ import annotations

from tests.unit.tekton.documents import pipeline, task


def test_task_params_hide_pipeline_params(run):
    ran = run(
        pipeline(
            task("a", "echo $(params.x) $(params.y)", spec_params=[{"name": "x", "default": "task"}]),
            task("b", "echo $(params.x)", params=[{"name": "x", "value": "given $(params.y)"}]),
            params=[{"name": "x", "default": "pipeline"}, {"name": "y", "default": "Y"}],
        )
    )
    # in a task without params of its own, the pipeline's come first: Tekton puts them in before the task's defaults
    assert ran.lines("a") == ["pipeline Y"]
    assert ran.lines("b") == ["given Y"]
