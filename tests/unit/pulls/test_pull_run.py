"""The run of a pull request as a PipelineRun."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.unit.manifests.installed import TEKTON
from tests.unit.pulls.payloads import HEAD, OTHER
from tests.unit.pulls.places import URLS, desk_settings, repository_on

from penstock.pulls.pull_lookup import PullNow
from penstock.pulls.pull_run import RunWanted, note, pull_key, read_run, run_body, run_name

PULL = PullNow(7, open=True, head=HEAD, base="main", fork=False)
LABEL_VALUE = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?")


def body(tmp_path: Path, wanted: RunWanted, forge: str = "github", **more: Any) -> dict[str, Any]:
    settings = desk_settings(tmp_path, **more)
    return run_body(repository_on(settings, forge), settings.file, wanted)


def params(run: dict[str, Any]) -> dict[str, str]:
    return {entry["name"]: entry["value"] for entry in run["spec"]["params"]}


def test_it_is_as_the_triggers_make_it(tmp_path: Path) -> None:
    """But for what a pull request adds, and that it waits for its turn."""
    template = yaml.safe_load((TEKTON / "triggers" / "template-verify.yaml").read_text(encoding="utf-8"))
    theirs = template["spec"]["resourcetemplates"][0]
    ours = body(tmp_path, RunWanted(PULL, "smoke"))
    assert ours["spec"].pop("status") == "PipelineRunPending"
    assert {"url", "revision", "registry", "tls-verify", "allow-http", "shards"} <= set(params(ours))
    for spec in (ours["spec"], theirs["spec"]):
        del spec["params"]
    # the desk names no transcriber, and what a fork's model has made is sent to nobody
    theirs["spec"]["workspaces"] = [one for one in theirs["spec"]["workspaces"] if one["name"] != "transcriber-key"]
    assert ours["spec"] == theirs["spec"]
    assert ours["metadata"]["labels"].items() >= {"app.kubernetes.io/part-of": "penstock"}.items()


def test_the_pipeline_takes_all_that_it_is_given(tmp_path: Path) -> None:
    """Tekton would pass over a parameter that the pipeline does not know."""
    verify = yaml.safe_load((TEKTON / "pipelines" / "verify.yaml").read_text(encoding="utf-8"))["spec"]
    run = body(tmp_path, RunWanted(PULL, "smoke"))
    assert set(params(run)) <= {entry["name"] for entry in verify["params"]}
    needed = {entry["name"] for entry in verify["params"] if "default" not in entry}
    assert needed <= set(params(run))
    given = {entry["name"] for entry in run["spec"]["workspaces"]}
    assert given <= {entry["name"] for entry in verify["workspaces"]}
    assert {entry["name"] for entry in verify["workspaces"] if not entry.get("optional")} <= given
    assert "transcriber-key" not in given
    floor = {"name": "policy-floor", "configMap": {"name": "penstock-policy-floor"}}
    assert floor in run["spec"]["workspaces"], "a fork's policy is its own: without a floor the run must not start"


def test_what_a_pull_request_adds(tmp_path: Path) -> None:
    waive = ({"metric": "lse_d", "reason": "known", "expires": "2026-12-01", "by": "ann"},)
    found = params(body(tmp_path, RunWanted(PULL, "", waive)))
    assert found["url"] == URLS["github"]
    assert (found["revision"], found["ref"], found["base"]) == (HEAD, "refs/pull/7/head", "refs/heads/main")
    assert (found["pull-request"], found["fork"], found["slice"]) == ("7", "false", "")
    assert json.loads(found["waive"]) == list(waive)
    assert found["store"] == "s3://releases/penstock"
    assert params(body(tmp_path, RunWanted(PULL, ""), "gitlab"))["ref"] == "refs/merge-requests/7/head"
    assert params(body(tmp_path, RunWanted(PULL, ""), "gitea"))["ref"] == "refs/pull/7/head"


def test_http_is_allowed_where_the_forge_has_it(tmp_path: Path) -> None:
    assert params(body(tmp_path, RunWanted(PULL, "")))["allow-http"] == "false"
    assert params(body(tmp_path, RunWanted(PULL, ""), "gitea"))["allow-http"] == "true"


def test_a_fork_is_held_until_somebody_lets_it_run(tmp_path: Path) -> None:
    fork = replace(PULL, fork=True)
    held = read_run(body(tmp_path, RunWanted(fork, "smoke")))
    assert held.held
    assert params(body(tmp_path, RunWanted(fork, "smoke")))["fork"] == "true"
    assert not read_run(body(tmp_path, RunWanted(fork, "smoke", approved_by="ann"))).held
    assert not read_run(body(tmp_path, RunWanted(PULL, "smoke"))).held


def test_the_same_has_the_same_name(tmp_path: Path) -> None:
    settings = desk_settings(tmp_path)
    here, there = repository_on(settings), repository_on(settings, "gitea")
    wanted = RunWanted(PULL, "smoke")
    name = run_name(here, wanted)
    assert name == run_name(here, replace(wanted, slice="", asked_by="ann"))
    others = [
        run_name(there, wanted),
        run_name(here, replace(wanted, cause="comment 41")),
        run_name(here, replace(wanted, attempt=1)),
        run_name(here, replace(wanted, pull=replace(PULL, head=OTHER))),
        run_name(here, replace(wanted, pull=replace(PULL, base="next"))),
        run_name(here, replace(wanted, pull=replace(PULL, number=8))),
    ]
    assert len({name, *others}) == 7
    assert re.fullmatch(r"pull-7-c0ffee00-[0-9a-f]{8}", name)
    assert len(run_name(here, replace(wanted, pull=replace(PULL, number=9_999_999_999)))) <= 50


def test_labels_can_be_labels(tmp_path: Path) -> None:
    wanted = RunWanted(replace(PULL, head="a" * 64, number=9_999_999_999), "smoke")
    for value in body(tmp_path, wanted)["metadata"]["labels"].values():
        assert LABEL_VALUE.fullmatch(value), value
    settings = desk_settings(tmp_path)
    assert pull_key(repository_on(settings), 7) != pull_key(repository_on(settings, "gitea"), 7)


@pytest.mark.parametrize(
    ("asked", "succeeded", "wanted"),
    [
        # pending, active, running, ended
        ("PipelineRunPending", None, (True, True, False, False)),
        ("", None, (False, True, True, False)),
        ("", "Unknown", (False, True, True, False)),
        ("", "True", (False, False, False, True)),
        ("", "False", (False, False, False, True)),
        ("Cancelled", "Unknown", (False, False, True, False)),
        ("Cancelled", "False", (False, False, False, True)),
    ],
)
def test_how_far_a_run_is(
    tmp_path: Path, asked: str, succeeded: str | None, wanted: tuple[bool, bool, bool, bool]
) -> None:
    item = body(tmp_path, RunWanted(PULL, "smoke"))
    item["spec"]["status"] = asked
    if succeeded is not None:
        item["status"] = {"conditions": [{"type": "Succeeded", "status": succeeded}]}
    run = read_run(item)
    assert (run.pending, run.active, run.running, run.ended) == wanted
    assert run.number == 7


def test_whether_its_verdict_is_being_told(tmp_path: Path) -> None:
    item = body(tmp_path, RunWanted(PULL, "smoke"))
    for children, wanted in (
        (None, False),
        ([{"pipelineTaskName": "gate"}], False),
        ([{}, {"pipelineTaskName": "notify"}], True),
    ):
        item["status"] = {"childReferences": children, "results": [{"name": "summary", "value": "pass\n7 of 7"}]}
        run = read_run(item)
        assert (run.telling, run.summary) == (wanted, "pass 7 of 7")


@pytest.mark.parametrize("waive", ["", "[", "{}", "[1]"])
def test_waivers_that_somebody_has_spoilt(tmp_path: Path, waive: str) -> None:
    item = body(tmp_path, RunWanted(PULL, "smoke"))
    item["metadata"]["annotations"]["penstock.dev/waive"] = waive
    assert read_run(item).waive == ()


@pytest.mark.parametrize(("noted", "wanted"), [("29872350", 29872350), ("", 0), ("x", 0), ("-1", 0), ("9" * 99, 0)])
def test_which_attempt_it_is(tmp_path: Path, noted: str, wanted: int) -> None:
    item = body(tmp_path, RunWanted(PULL, "smoke", attempt=7))
    assert read_run(item).attempt == 7
    item["metadata"]["annotations"]["penstock.dev/attempt"] = noted
    assert read_run(item).attempt == wanted


def test_it_may_not_be_deleted_before_it_is_settled(tmp_path: Path) -> None:
    """As docs/operations.md selects what may be."""
    assert body(tmp_path, RunWanted(PULL, "smoke"))["metadata"]["labels"]["penstock.dev/settled"] == "false"


def test_notes() -> None:
    assert note(approved_by="ann") == {"metadata": {"annotations": {"penstock.dev/approved-by": "ann"}}}
