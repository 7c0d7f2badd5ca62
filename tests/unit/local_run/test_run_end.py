"""What came of a run, for programs."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.cli.made_runs import made_run

from penstock.bundle.failures import remember_failure
from penstock.foundation.errors import ExitCode
from penstock.local_run.run_end import RunEnd, refused_at_start, run_end
from penstock.tekton.run_json import PipelineRunResult, TaskRunRecord


def ended(*records: tuple[str, str], status: str = "True") -> PipelineRunResult:
    runs = [TaskRunRecord(name=name, pipeline_task=name, status=state) for name, state in records]  # type: ignore[arg-type]
    return PipelineRunResult("r", "release", status, "Failed", "Tasks Completed: 3", task_runs=runs)  # type: ignore[arg-type]


BROKEN = ended(("clone", "True"), ("weights", "False"), status="False")


def test_an_accepted_release_is_published_where_the_step_was(tmp_path: Path) -> None:
    bundle = made_run(tmp_path / "runs", "r", "1.0.0")
    page = str(bundle.path / "report" / "index.html")
    accepted = ended(("gate", "True"), ("publish", "True"))
    assert run_end(accepted, bundle.path.parent, ExitCode.OK) == RunEnd("pass", "1.0.0", "", str(bundle.path), page)
    unpublished = run_end(ended(("gate", "True")), bundle.path.parent, ExitCode.OK)
    assert (unpublished.verdict, unpublished.published) == ("pass", None)


@pytest.mark.parametrize("remembered", [True, False])
def test_what_broke_first_is_the_reason(tmp_path: Path, remembered: bool) -> None:
    bundle = made_run(tmp_path / "runs", "r", "1.0.0")
    bundle.verdict_file.unlink()
    if remembered:
        remember_failure(bundle, "weights", "w.onnx: the server does not answer.")
    BROKEN.task_runs[1].message = "the step was killed"
    end = run_end(BROKEN, bundle.path.parent, ExitCode.WORLD)
    assert end.reason == ("w.onnx: the server does not answer." if remembered else "the step was killed")


def test_what_was_refused_before_any_model_ran() -> None:
    assert refused_at_start(BROKEN, ExitCode.USAGE)
    assert not refused_at_start(BROKEN, ExitCode.WORLD)
    assert refused_at_start(ended(status="False"), ExitCode.USAGE)
    assert not refused_at_start(ended(("clone", "True"), ("infer", "False"), status="False"), ExitCode.USAGE)
