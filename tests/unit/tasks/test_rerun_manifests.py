"""The released model's tasks in the release pipeline: their order, what skips them, and what they may touch."""

from __future__ import annotations

import functools
import itertools
import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.unit.manifests.installed import read

from penstock.cli.run_display import ONLY_AGAIN, ONLY_BESIDE, ONLY_SOMETIMES, ONLY_WITH_LOAD

ROOT = Path(__file__).parents[3]
SPEC = read("pipelines/release.yaml")[0]["spec"]
TASKS: dict[str, Any] = {entry["name"]: entry for entry in SPEC["tasks"]}
ALWAYS = ("build", "plan", "weights", "measure")
"""Tasks that are never skipped."""


def test_these_are_the_tasks() -> None:
    others = {name for name, entry in TASKS.items() if name != entry["taskRef"]["name"]}
    assert others == {*ONLY_BESIDE, *ONLY_AGAIN, "browse-with-card", *ONLY_WITH_LOAD[1:]}
    assert set(ONLY_SOMETIMES) - others == {"browse", "export", "interface", "load"}


@pytest.mark.parametrize("name", ONLY_SOMETIMES)
def test_each_is_skipped_by_a_result_that_is_always_there(name: str) -> None:
    """Tekton goes on after a task that 'when' has skipped; any other skip takes what comes after it along."""
    (only,) = TASKS[name]["when"]
    source = only["input"].removeprefix("$(tasks.").partition(".")[0]
    assert source in ALWAYS
    assert not any("when" in TASKS[always] for always in ALWAYS)
    texts = yaml.safe_dump([TASKS[name].get("params"), TASKS[name].get("matrix")])
    referred = {part.partition(".")[0] for part in texts.split("$(tasks.")[1:]}
    assert referred <= set(ALWAYS)


@functools.cache
def before(name: str) -> set[str]:
    """All tasks that must have ended before this one begins."""
    entry = TASKS[name]
    direct = set(entry.get("runAfter", []))
    direct |= {part.partition(".")[0] for part in json.dumps(entry).split("$(tasks.")[1:]}
    return direct.union(*(before(one) for one in direct))


def test_the_blocks_come_one_after_another() -> None:
    """On one card, so never two models at a time: candidate, released, released, candidate."""
    blocks = ["infer", "infer-released", "infer-released-again", "infer-again"]
    for earlier, later in itertools.pairwise(blocks):
        assert earlier in before(later)
    images = [next(p["value"] for p in TASKS[name]["params"] if p["name"] == "image") for name in blocks]
    assert images == [
        f"$(tasks.plan.results.{name})" for name in ("image", "released-image", "released-image", "image")
    ]
    halves = [TASKS[name]["matrix"]["params"][0]["value"] for name in blocks]
    assert halves == [f"$(tasks.plan.results.{name}[*])" for name in ("shards", "shards", "second", "second")]
    assert before("collect") & before("collect-released") >= {"infer-turns", *blocks}
    assert before("gate") >= {"measure", "measure-released", "measure-again"}
    assert "weights-released" in before("plan")


def test_the_load_is_put_in_turns_and_before_the_verdict() -> None:
    """Candidate, released, released, candidate; both sides' values are there before the gate."""
    for earlier, later in itertools.pairwise(ONLY_WITH_LOAD):
        assert earlier in before(later)
    assert before("load") >= {"measure", "browse", "browse-with-card", "interface"}, "all write measurements.jsonl"
    assert "measure-released" in before("load-released")
    assert before("gate") >= set(ONLY_WITH_LOAD)
    given = [{one["name"]: one["value"] for one in TASKS[name]["params"]} for name in ONLY_WITH_LOAD]
    assert [one["part"] for one in given] == ["$(tasks.plan.results.load)", "1/2", "2/2", "2/2"]
    images = ("image", "released-image", "released-image", "image")
    assert [one["image"] for one in given] == [f"$(tasks.plan.results.{name})" for name in images]
    whens = [TASKS[name]["when"][0]["values"] for name in ONLY_WITH_LOAD]
    assert whens == [["1/1", "1/2"], ["1/2"], ["1/2"], ["1/2"]]
    for name in ONLY_WITH_LOAD:
        bound = {one["name"]: one["subPath"] for one in TASKS[name]["workspaces"]}
        released = {"released"} if "released" in name else set()
        assert set(bound) == {"source", "bundle", "runtime", "weights"} | released, "neither cache nor secret"
        assert bound["bundle"].endswith("/baseline" if released else "/bundle")


@pytest.mark.parametrize("name", [name for name, entry in TASKS.items() if entry["taskRef"]["name"] == "infer"])
def test_a_models_container_sees_no_cache_and_no_secret(name: str) -> None:
    bound = {workspace["name"]: workspace for workspace in TASKS[name]["workspaces"]}
    assert {workspace["workspace"] for workspace in bound.values()} == {"work"}
    runtime = bound.pop("runtime")
    assert runtime["subPath"] == "cache/runtime/$(tasks.plan.results.runtime)"
    run = "runs/$(context.pipelineRun.name)/"
    places = {one: workspace["subPath"].removeprefix(run) for one, workspace in bound.items()}
    weights = {"weights": "source/$(tasks.build.results.weights-folder)"}
    released = {"source": "source", "bundle": "baseline", "released": "released"}
    released |= {"weights": "released/$(tasks.plan.results.released-weights-folder)"}
    assert (
        places
        == {
            "infer": {"source": "source", "bundle": "bundle"} | weights,
            "infer-again": {"source": "source", "bundle": "bundle"} | weights,
            "infer-turns": {"source": "source", "bundle": "bundle", "released": "released", "baseline": "baseline"},
            "infer-released": released,
            "infer-released-again": released,
        }[name]
    )
    task = read("tasks/infer.yaml")[0]
    writable = {one["name"] for one in task["spec"]["workspaces"] if not one.get("readOnly")}
    assert writable == {"bundle", "baseline"}


def test_what_is_done_to_the_released_model_leaves_the_candidates_bundle_alone() -> None:
    for name in ONLY_BESIDE:
        (bundle,) = (one["subPath"] for one in TASKS[name]["workspaces"] if one["name"] == "bundle")
        assert bundle.endswith("/baseline") == (name not in ("infer-turns", "infer-again"))


def test_stored_outputs_are_brought_with_the_stores_secret_and_measured_without() -> None:
    """What a model returned is decoded where there is no secret."""
    assert [TASKS[name]["taskRef"]["name"] for name in ONLY_AGAIN] == ["weights", "measure"]
    brought, measured = ({one["name"]: one for one in TASKS[name]["workspaces"]} for name in ONLY_AGAIN)
    assert brought["store-credentials"]["workspace"] == "store-credentials"
    assert brought["bundle"]["subPath"].endswith("/bundle"), "it says which networks the candidate was measured through"
    assert brought["baseline"]["subPath"] == measured["bundle"]["subPath"]
    assert measured["bundle"]["subPath"].endswith("/baseline")
    assert {one["workspace"] for one in measured.values()} == {"work"}
    assert "outputs-released" in before("measure-again")
    like = {param["name"]: param["value"] for param in TASKS["measure-again"]["params"]}["like"]
    assert like == "$(tasks.measure.results.arithmetic)"


def test_every_task_that_runs_a_model_has_its_card_in_the_run() -> None:
    """`kubectl create -f tekton/runs/release.yaml`: one place says how many cards, for each of them."""
    run = read("runs/release.yaml")[0]
    named = {one["pipelineTaskName"] for one in run["spec"]["taskRunSpecs"]} - {"browse-with-card"}
    assert named == {name for name, entry in TASKS.items() if entry["taskRef"]["name"] in ("infer", "export", "load")}


def test_measure_sees_what_the_released_model_answered() -> None:
    """Some metrics compare with it: weights brings it from the store, or it ran in this run."""
    assert before("measure") >= {"weights", "collect", "collect-released"}
    places = {one["name"]: one["subPath"] for one in TASKS["measure"]["workspaces"] if one["workspace"] == "work"}
    for name in ("weights", "gate"):
        (there,) = (one["subPath"] for one in TASKS[name]["workspaces"] if one["name"] == "baseline")
        assert places["baseline"] == there
    for name in ("measure-released", "measure-again"):
        assert "baseline" not in {one["name"] for one in TASKS[name]["workspaces"]}, "it is the released model's own"
