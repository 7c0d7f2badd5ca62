"""The exit code of a run that has ended."""

from __future__ import annotations

import pytest

from penstock.foundation.errors import ExitCode
from penstock.local_run.exit_codes import exit_code, track_exit_code
from penstock.tekton.run_json import PipelineRunResult, TaskRunRecord


def ended(*failed: tuple[str, int | None]) -> PipelineRunResult:
    records = [
        TaskRunRecord(
            name=name, pipeline_task=name, status="False", exit_code=code, finished=f"2026-01-01T00:00:0{number}Z"
        )
        for number, (name, code) in enumerate(failed)
    ]
    status = "False" if failed else "True"
    return PipelineRunResult(
        name="r", pipeline="release", status=status, reason="Failed", message="", task_runs=records
    )


@pytest.mark.parametrize(
    ("failed", "code"),
    [
        ((), ExitCode.OK),
        ((("enforce", 1),), ExitCode.REJECTED),
        ((("enforce", 3),), ExitCode.INCONCLUSIVE),
        ((("notify", 4), ("enforce", 1)), ExitCode.REJECTED),
        ((("clone", 2),), ExitCode.USAGE),
        ((("infer", 4),), ExitCode.WORLD),
        ((("infer", 1),), ExitCode.BUG),
        ((("infer", 137),), ExitCode.WORLD),
        ((("measure", None),), ExitCode.WORLD),
        ((("measure", 70),), ExitCode.BUG),
    ],
)
def test_a_broken_run_never_looks_like_a_rejected_model(
    failed: tuple[tuple[str, int | None], ...], code: ExitCode
) -> None:
    assert track_exit_code(ended(*failed)) == code


def test_any_other_pipeline_succeeds_is_refused_or_fails() -> None:
    assert exit_code(ended()) == ExitCode.OK
    assert exit_code(ended(("build", 5))) == ExitCode.REJECTED
    assert exit_code(PipelineRunResult("r", "p", "False", "ParameterMissing", "no")) == ExitCode.USAGE
