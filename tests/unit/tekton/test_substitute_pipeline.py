"""Names of TaskRuns, and values in a pipeline's tasks."""

from __future__ import annotations

from tests.unit.tekton.documents import pipeline, task


def test_long_names_are_cut_like_tekton(run):
    ran = run(pipeline(task("t" * 60)), name="n" * 40)
    name = ran.result.task_runs[0].name
    assert len(name) == 63
    assert name.startswith("n" * 31)
