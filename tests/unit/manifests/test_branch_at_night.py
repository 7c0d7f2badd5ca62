"""A night's verify of a branch: what ``tekton/runs/verify.yaml`` starts, and that the schedule takes it as it is."""

from __future__ import annotations

from pathlib import Path

import yaml
from tests.unit.manifests.installed import objects

from penstock.tekton.cluster_runs import scheduled_run

RUN = Path(__file__).parents[3] / "tekton" / "runs" / "verify.yaml"


def test_it_fits_the_pipeline_and_binds_all_that_a_site_may_have() -> None:
    run = yaml.safe_load(RUN.read_text(encoding="utf-8"))
    assert run["spec"]["pipelineRef"] == {"name": "verify"}
    spec = objects("Pipeline")["verify"]["spec"]
    known = {param["name"]: param for param in spec["params"]}
    given = {param["name"]: param["value"] for param in run["spec"]["params"]}
    assert given.keys() <= known.keys()
    assert {name for name, param in known.items() if "default" not in param} <= given.keys()
    assert given["slice"] == "", "all cases"
    bound = {entry.pop("name"): entry for entry in run["spec"]["workspaces"]}
    assert bound.keys() == {entry["name"] for entry in spec["workspaces"]}
    needed = {name for name, entry in bound.items() if not any(source.get("optional") for source in entry.values())}
    assert needed == {"work", "weights-keys", "policy-floor"}, "a site need not have the others"
    tasks = {task["name"] for task in spec["tasks"]}
    assert {entry["pipelineTaskName"] for entry in run["spec"]["taskRunSpecs"]} <= tasks


def test_the_schedule_starts_it() -> None:
    metadata = scheduled_run(RUN)["metadata"]
    assert metadata["generateName"] == "verify-sonic-main-"
    assert metadata["labels"] == {"penstock.dev/scheduled": "verify"}
