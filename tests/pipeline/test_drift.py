"""A release that is run again: nothing moved; its data, card and driver; its answers. The store stays as it is."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.pipeline.pipeline_runs import PENSTOCK, Ended, Penstock
from tests.unit.notices.mail_server import mail_server

from penstock.bundle.directory import Bundle
from penstock.bundle.models import Machine, Run
from penstock.foundation.files import sha256_file

ROOT = Path(__file__).parents[2]


def watch(penstock: Penstock, *more: str) -> Ended:
    arguments = [PENSTOCK, "watch", "--scheduled", "tiny", "--store", str(penstock.out / "store")]
    return penstock.ended([*arguments, "--out", str(penstock.out), "--json", *more], "")


def told(ended: Ended) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(ended.stdout)
    return found


def content(folder: Path) -> dict[str, str]:
    return {str(path.relative_to(folder)): sha256_file(path) for path in sorted(folder.rglob("*")) if path.is_file()}


def record_otherwise(store: Path, change: Callable[[Bundle], None]) -> None:
    """Let the release have been made under other conditions: its evidence, and the pointers to it."""
    bundle = Bundle(store / "runs" / "tiny" / "first")
    before = sha256_file(bundle.manifest_file)
    for path in (bundle.path, *bundle.path.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)
    change(bundle)
    bundle.manifest_file.unlink()
    bundle.seal()
    for path in (*store.glob("baselines/*"), *store.glob("published/*/*")):
        text = path.read_text(encoding="utf-8")
        path.chmod(0o644)
        path.write_text(text.replace(before, sha256_file(bundle.manifest_file)), encoding="utf-8")


def of_run(bundle: Bundle, change: Callable[[Run], dict[str, Any]]) -> None:
    run = bundle.run()
    bundle.update_run(run.model_copy(update=change(run)))


@pytest.mark.timeout(120)
def test_nothing_moved_and_the_store_is_as_it_was(released: Penstock) -> None:
    before = content(released.out / "store")
    ended = watch(released)
    assert ended.code == 0, ended.stderr
    drift = told(ended)
    assert (drift["model"], drift["version"], drift["released_run"]) == ("tiny", "1.0.0", "first")
    assert (drift["outcome"], drift["conditions"]) == ("same", [])
    assert {rule["metric"]: rule["state"] for rule in drift["rules"]} == {
        "duration_error": "same",
        "latency": "same",
        "sharpness": "same",
    }
    assert (drift["answers"], drift["answers_same"]) == (2, 2)
    assert content(released.out / "store") == before
    run = Bundle(released.out / "runs" / drift["run"] / "bundle").run()
    first = Bundle(released.out / "store" / "runs" / "tiny" / "first").run()
    assert (run.track, run.image, run.weights) == ("watch", first.image, first.weights)
    assert run.source is not None
    assert first.source is not None
    assert run.source.commit == first.source.commit


@pytest.mark.timeout(120)
def test_card_driver_and_data_that_moved_are_told(released: Penstock, tmp_path: Path) -> None:
    def elsewhere(machine: Machine | None) -> Machine:
        assert machine is not None
        return machine.model_copy(update={"gpu": "NVIDIA H200, 550.54", "versions": machine.versions | {"av": "1.0"}})

    def change(run: Run) -> dict[str, Any]:
        assert run.inference is not None
        assert run.suite is not None
        shards = [shard.model_copy(update={"machine": elsewhere(shard.machine)}) for shard in run.inference.shards]
        return {
            "machine": elsewhere(run.machine),
            "inference": run.inference.model_copy(update={"shards": shards}),
            "suite": run.suite.model_copy(update={"digest": "0" * 64}),
        }

    record_otherwise(released.out / "store", lambda bundle: of_run(bundle, change))
    before = content(released.out / "store")
    ended = watch(released)
    assert ended.code == 3, ended.stderr
    drift = told(ended)
    assert drift["outcome"] == "conditions"
    found = {(condition["kind"], condition["what"]) for condition in drift["conditions"]}
    assert found == {("card", "GPU model"), ("data", "suite"), ("software", "av")}
    assert content(released.out / "store") == before


@pytest.mark.timeout(120)
def test_answers_that_moved_are_told_and_people_hear_of_it(released: Penstock, tmp_path: Path) -> None:
    def change(bundle: Bundle) -> None:
        bundle.write_measurements(
            found.model_copy(update={"value": found.value * 1.5})
            if found.metric == "sharpness" and found.value is not None
            else found
            for found in bundle.measurements()
        )

    record_otherwise(released.out / "store", change)
    with mail_server() as server:
        (tmp_path / "urls").write_text(server.address + "\n", encoding="utf-8")
        ended = watch(released, "--notify", str(tmp_path / "urls"))
    assert ended.code == 1, ended.stderr
    drift = told(ended)
    (moved,) = [rule for rule in drift["rules"] if rule["state"] == "moved"]
    assert moved["metric"] == "sharpness"
    assert moved["interval"][1] < 0
    assert drift["conditions"] == []
    assert len(server.mails) == 1
    assert "tiny 1.0.0: its values moved" in server.mails[0]["Subject"]


def test_a_model_that_is_not_released_and_a_repository_that_is_gone(released: Penstock, tmp_path: Path) -> None:
    arguments = [PENSTOCK, "watch", "--scheduled", "other", "--store", str(released.out / "store")]
    ended = released.ended([*arguments, "--out", str(tmp_path / "out")], "")
    assert ended.code == 2
    assert "no release of 'other' is current" in ended.stderr
    store = released.out / "store"
    for path in (*store.glob("baselines/*.json"), *store.glob("published/*/*.json")):
        path.chmod(0o644)
        text = path.read_text(encoding="utf-8")
        url = json.loads(text).get("url") or json.loads(text)["release"]["url"]
        path.write_text(text.replace(url, str(tmp_path / "gone")), encoding="utf-8")
    ended = watch(released)
    assert ended.code == 4, ended.stderr
    assert "the release cannot be run again" in ended.stderr


def drift_pipeline(penstock: Penstock, *more: str) -> Ended:
    """The cluster's pipeline, on this machine."""
    manifest = ROOT / "tekton" / "pipelines" / "drift.yaml"
    given = {"model": "tiny", "store": str(penstock.out / "store"), "allow-local": "true"}
    params = [word for name, value in given.items() for word in ("--param", f"{name}={value}")]
    work = penstock.out / "nights"
    work.mkdir(exist_ok=True)
    return penstock.ended([PENSTOCK, "run", str(manifest), *params, "--workspace", f"work={work}", *more], "")


@pytest.mark.timeout(180)
def test_the_clusters_pipeline_comes_to_the_same_and_keeps_it_beside_the_record(
    released: Penstock, tmp_path: Path
) -> None:
    before = content(released.out / "store")
    ended = drift_pipeline(released)
    assert ended.code == 0, ended.stderr
    after = content(released.out / "store")
    assert {name: after[name] for name in before} == before
    (kept,) = (name for name in after if name.startswith("drift/tiny/") and name.endswith("/drift.json"))
    found = json.loads((released.out / "store" / kept).read_text(encoding="utf-8"))
    assert (found["outcome"], found["released_run"], found["current"]) == ("same", "first", None)
    record_otherwise(released.out / "store", lambda bundle: of_run(bundle, lambda _: {"penstock": "0.0.9"}))
    with mail_server() as server:
        receivers = tmp_path / "receivers"
        receivers.mkdir()
        (receivers / "urls").write_text(server.address + "\n", encoding="utf-8")
        ended = drift_pipeline(released, "--workspace", f"receivers={receivers}")
    assert ended.code == 1, "a run of a file is green or red"
    assert "outcome: conditions" in ended.stdout
    assert "enforce: inconclusive" in ended.stderr
    assert "software moved" in server.mails[0]["Subject"]
