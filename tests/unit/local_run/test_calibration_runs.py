"""The runs of a calibration: the verify pipeline's own tasks, over the whole suite, without limits of time."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.bisect.histories import measurements, write_bundle

from penstock.bundle.models import StepRecord
from penstock.foundation.errors import UsageError
from penstock.local_run.calibration_runs import CalibrationRuns, Options, calibration_run, carry_out
from penstock.tekton.run_json import OnEvent


def never() -> OnEvent:
    raise AssertionError("a pipeline was run")


def test_pipeline_has_no_limit_and_publishes_nothing() -> None:
    run = calibration_run("r")
    spec = run["spec"]["pipelineSpec"]
    assert [task["name"] for task in spec["tasks"]][-1] == "measure"
    assert not {"publish", "archive", "gate", "check"} & {task["name"] for task in spec["tasks"]}
    assert {task["timeout"] for task in spec["tasks"]} == {"0"}
    assert run["spec"]["timeouts"] == {"pipeline": "0"}


def test_finished_runs_are_found_again(tmp_path: Path) -> None:
    """Their names hold what they depend on: with the same options nothing is run."""
    options = Options(repo=str(tmp_path), revision="v1", runs=2, out=tmp_path / "out", file=tmp_path / "noise.json")
    said: list[str] = []
    runs = CalibrationRuns(options, listening=never, say=said.append)  # type: ignore[arg-type]
    for number in (1, 2):
        path = tmp_path / "out" / "runs" / f"calibrate-{runs.key}-{number}" / "bundle"
        bundle = write_bundle(path, "c" * 40, measurements("sharpness", {"a": 7.0 + number}), run_id=f"{number}")
        step = StepRecord(name="measure", status="done", started="2026-01-01T00:00:00+00:00", seconds=1.0)
        bundle.update_run(bundle.run().model_copy(update={"steps": [step]}))
    assert [source.measurements[0].value for source in runs.sources()] == [8.0, 9.0]
    assert [line.partition(" (")[0] for line in said] == ["run 1 of 2: done before", "run 2 of 2: done before"]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (Options(level=0.7), "0.7 is not a level"),
        (Options(file=Path()), "this is a directory"),
        (Options(bundles=(Path("x"),), repo="r"), "--repo belongs to runs"),
        (Options(revision="v1"), "--repo is missing"),
        (Options(repo="r", revision="v1", params=("reuse=true",)), "'reuse' is set by the calibration"),
    ],
)
def test_what_does_not_fit_is_refused_before_anything_runs(options: Options, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        carry_out(options, listening=never, say=str)  # type: ignore[arg-type]
