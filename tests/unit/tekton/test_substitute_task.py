"""A task with everything put in."""

from __future__ import annotations

from tests.unit.tekton.documents import a_task, pipeline, step, task


def test_contexts(run):
    ran = run(
        pipeline(
            task(
                "a",
                "echo $(context.pipelineRun.name) $(context.pipeline.name) $(context.taskRun.name) "
                "$(context.task.name) $(context.taskRun.namespace) $(context.task.retry-count) $(params.n)",
                spec_params=[{"name": "n"}],
                params=[{"name": "n", "value": "$(context.pipelineTask.retries)"}],
                retries=2,
            ),
            {"name": "b", "taskRef": {"name": "other"}},
        ),
        a_task("other", step("echo $(context.task.name) $(context.taskRun.name)")),
    )
    assert ran.lines("a") == ["r p r-a r-a default 0 2"]
    assert ran.lines("b") == ["other r-b"]
