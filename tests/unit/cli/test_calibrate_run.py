"""The runs of a calibration: the verify pipeline's own tasks, over the whole suite, without limits of time."""

from __future__ import annotations

from penstock.cli.calibrate_run import pipeline_run
from penstock.cli.run_request import manifests


def test_pipeline_has_no_limit_and_publishes_nothing() -> None:
    run = pipeline_run(manifests(), "verify") if "verify" in str(manifests()) else pipeline_run(manifests(), "r")
    text = str(run)
    assert run["kind"] == "PipelineRun"
    assert "'measure'" in text
    assert not any(f"'name': '{step}'" in text for step in ("publish", "archive", "gate"))
    assert run["spec"]["timeouts"]["pipeline"] in ("0", "0s", "0h")
