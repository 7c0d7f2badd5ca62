"""What a run becomes when something fails, is skipped or times out: conditions, reasons and messages as Tekton's."""

from __future__ import annotations

from tests.unit.tekton.documents import pipeline, task


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
