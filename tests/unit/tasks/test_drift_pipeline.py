"""The drift pipeline: verify's way from clone to measure, of the released pair; what it reads and writes."""

from __future__ import annotations

import copy
from typing import Any

import yaml
from tests.unit.manifests.installed import TEKTON, objects, read

SPEC = read("pipelines/drift.yaml")[0]["spec"]
TASKS: dict[str, Any] = {entry["name"]: entry for entry in SPEC["tasks"]}
CHOSEN = {"slice", "python", "python-found", "weights", "registry", "mode", "image", "depth", "reuse"}
CHOSEN |= {"ref", "base", "store", "stored", "fork"}
"""Parameters that only a person's run, or a pull request's, has: which code, which cases, which environment."""


def verifying() -> dict[str, Any]:
    """The tasks of verify up to *measure*, without the repository's own checks."""
    found = copy.deepcopy({entry["name"]: entry for entry in read("pipelines/verify.yaml")[0]["spec"]["tasks"]})
    for name in ("check", "gate", "report", "archive"):
        del found[name]
    # what a commit's answers are compared with; the released model's are not compared before the gate
    # nobody reads what is heard in answers that are only compared
    measure = found["measure"]
    measure["workspaces"] = [one for one in measure["workspaces"] if one["name"] not in ("baseline", "transcriber-key")]
    measure["params"] = [param for param in measure["params"] if not param["name"].startswith("transcriber")]
    found["weights"]["runAfter"] = ["clone"]
    return found


def shared(task: dict[str, Any]) -> dict[str, Any]:
    kept = [param for param in task.get("params", []) if param["name"] not in CHOSEN]
    return {key: value for key, value in task.items() if key != "params"} | {"params": kept}


def test_the_model_goes_the_way_of_any_run() -> None:
    ours, theirs = copy.deepcopy(TASKS), verifying()
    assert list(ours) == ["find", *theirs, "gate"]
    assert ours["clone"].pop("runAfter") == ["find"]
    values = {"url": "$(tasks.find.results.released-url)", "revision": "$(tasks.find.results.released-commit)"}
    for param in theirs["clone"]["params"]:
        param["value"] = (values | {"track": "watch"}).get(param["name"], param["value"])
    for name, task in theirs.items():
        assert shared(ours[name]) == shared(task), name


def test_nothing_is_taken_from_earlier_runs_and_nothing_is_chosen() -> None:
    given = {name: {one["name"]: one["value"] for one in task.get("params", [])} for name, task in TASKS.items()}
    reused = {name: params["reuse"] for name, params in given.items() if "reuse" in params}
    assert reused == {"plan": "false", "measure": "false"}
    assert set(given["build"]) == {"tls-verify"}
    assert given["weights"] == {}, "no store: what is compared with is on record"
    assert given["find"] == {
        "watch": "$(params.model)",
        "run-id": "$(context.pipelineRun.name)",
        "store": "$(params.store)",
    }


def test_no_step_that_writes_the_record_is_in_it() -> None:
    used = {entry["taskRef"]["name"] for entry in [*SPEC["tasks"], *SPEC["finally"]]}
    assert not {"archive", "publish", "move", "report"} & used
    # notify, too, is told which store it is, and has no credentials for it
    assert {name for name, task in TASKS.items() if "$(params.store)" in yaml.safe_dump(task)} == {"find", "gate"}


def test_people_are_told_and_the_run_is_red_if_something_moved() -> None:
    told, last = SPEC["finally"]
    assert [told["name"], last["name"]] == ["notify", "enforce"]
    places = {one["name"]: one.get("subPath") for one in told["workspaces"]}
    assert places["cache"] == "cache", "what was told the last time outlives a run"
    assert places["baseline"] == next(
        one["subPath"] for one in TASKS["find"]["workspaces"] if one["name"] == "baseline"
    )
    assert {one["name"]: one["value"] for one in last["params"]}["verdict"] == "$(tasks.gate.results.verdict)"


def test_a_lost_pod_is_tried_again() -> None:
    once = {entry["name"] for entry in [*SPEC["tasks"], *SPEC["finally"]] if not entry.get("retries")}
    assert once == {"notify"}


def test_there_is_time_to_tell_people_when_no_card_was_free() -> None:
    run = yaml.safe_load((TEKTON / "runs" / "drift.yaml").read_text(encoding="utf-8"))
    assert run["spec"]["timeouts"] == {"pipeline": "12h", "tasks": "11h30m"}
    assert run["spec"]["taskRunTemplate"]["serviceAccountName"] == "penstock"
    bound = {one["name"] for one in run["spec"]["workspaces"]}
    assert bound == {one["name"] for one in SPEC["workspaces"]}


def test_the_schedule_is_suspended_and_its_pod_has_few_rights() -> None:
    (cron,) = objects("CronJob").values()
    assert (cron["spec"]["suspend"], cron["spec"]["concurrencyPolicy"]) == (True, "Forbid")
    pod = cron["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert pod["serviceAccountName"] == "penstock-scheduled"
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert container["image"] == "penstock.local/move:0.1.0", "the image with the client"
    assert container["command"][-1] == "penstock_tasks.move.scheduled"
    (role,) = (one for name, one in objects("Role").items() if name == "penstock-scheduled")
    assert role["rules"] == [{"apiGroups": ["tekton.dev"], "resources": ["pipelineruns"], "verbs": ["create", "list"]}]
    (job,) = container["env"]
    assert job["valueFrom"] == {"fieldRef": {"fieldPath": "metadata.labels['batch.kubernetes.io/controller-uid']"}}
    assert container["args"] == ["--job=$(JOB)", "--runs=/etc/penstock/runs"]
    assert not [one for one in pod["volumes"] if "secret" in one]
