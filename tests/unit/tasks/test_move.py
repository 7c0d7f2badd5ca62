"""The step move: rollback, promotion and withdrawal, as the commands of the same names do them."""

from __future__ import annotations

import pytest
from tests.unit.releases.released_runs import released
from tests.unit.targets.api_server import serving
from tests.unit.targets.control_api import ControlServer
from tests.unit.targets.promotions import platform, publish_with_image
from tests.unit.targets.receiver import receiver
from tests.unit.targets.rollouts_api import RolloutServer
from tests.unit.targets.test_canary_acts import Place as CanaryPlace
from tests.unit.tasks.step_folders import Answer, StepFolders
from tests.unit.tracking.mlflow_server import mlflow_server

from penstock.releases.baseline import baseline, withdrawn
from penstock.releases.history import history
from penstock.store.local import LocalStore
from penstock.store.open import open_store

MODEL = "sonic-lite"


@pytest.fixture
def two(folders: StepFolders) -> StepFolders:
    """1.0.0 and 1.1.0, the current one."""
    store, before = open_store(folders.store), None
    for number in range(2):
        released(folders.folder, store, f"run-{number}", f"1.{number}.0", "https://git.example.org/a", baseline=before)
        before = f"run-{number}"
    return folders


def call(folders: StepFolders, act: str, *more: str, by: str = "ann") -> Answer:
    given = [f"--act={act}", f"--model={MODEL}", "--reason=users see flicker", f"--by={by}"]
    return folders.call("move", *given, f"--store={folders.store}", *more)


def moved_to(version: str, *, changed: str = "true") -> dict[str, str]:
    """The results of an act, with nobody to tell."""
    return {"current": version, "changed": changed, "told": "0", "state": ""}


def current(folders: StepFolders) -> str:
    found = baseline(open_store(folders.store), MODEL)
    assert found is not None
    return found.version


@pytest.mark.slow
def test_back_forward_and_withdrawn(two: StepFolders) -> None:
    assert call(two, "rollback").results == moved_to("1.0.0")
    assert call(two, "rollback").results == moved_to("1.0.0", changed="false")
    assert call(two, "promote", "--version=1.1.0").results == moved_to("1.1.0")
    assert call(two, "withdraw", "--version=1.0.0").results == moved_to("1.1.0")
    store = open_store(two.store)
    last = history(store, MODEL).moves[-1]
    assert (last.kind, last.by, last.reason) == ("withdrawn", "ann", "users see flicker")
    assert withdrawn(store, MODEL, "1.0.0") == last
    assert call(two, "rollback").code == 2, "there is none to go back to any more"


@pytest.mark.parametrize(
    ("act", "by", "said"),
    [
        ("delete", "ann", "there is no act 'delete'"),
        ("promote", "ann", "promote needs a version"),
        ("withdraw", "ann", "withdraw needs a version"),
        ("rollback", " ", "nobody is named"),
        ("canary-abort", " ", "nobody is named"),
        ("canary-status", "ann", "the platform's targets are not there"),
    ],
)
def test_what_is_not_said_moves_nothing(two: StepFolders, act: str, by: str, said: str) -> None:
    answer = call(two, act, by=by)
    assert (answer.code, current(two)) == (2, "1.1.0")
    assert said in answer.error


def test_a_store_that_is_not_there_is_not_made(two: StepFolders) -> None:
    answer = two.call("move", "--act=rollback", f"--model={MODEL}", "--reason=x", "--by=ann", "--store=/nowhere/at-all")
    assert answer.code == 2


def test_the_platform_names_the_store(folders: StepFolders) -> None:
    store = open_store(folders.store)
    assert isinstance(store, LocalStore)
    publish_with_image(folders.folder, store, 0)
    with receiver() as hook:
        file, secrets, _ = platform(folders.folder, hook)
        file.write_text(f"{file.read_text()}store: {folders.store}\n")
        given = ["--act=promote", f"--model={MODEL}", "--version=1.0.0", "--reason=go", "--by=ann"]
        given += [f"--targets={file.parent}", f"--target-secrets={secrets}"]
        answer = folders.call("move", *given, f"--store={folders.folder}")
        assert (answer.code, hook.requests) == (2, [])
        assert "the platform keeps its releases in" in answer.error
        assert folders.call("move", *given, "--store=").results["current"] == "1.0.0"


@pytest.mark.slow
def test_a_canary_is_looked_at_and_stopped(folders: StepFolders) -> None:
    with serving(RolloutServer(folders.folder / "secrets")) as there:
        place = CanaryPlace(folders.folder, there)
        given = [f"--targets={place.file.parent}", f"--target-secrets={there.folder}", f"--store={place.store.uri}"]

        def act(name: str, *more: str, model: str = MODEL) -> Answer:
            return folders.call("move", f"--act={name}", f"--model={model}", "--by=ann", *given, *more)

        looked = act("canary-status", model="studio")
        assert looked.results["state"].startswith("sonic-lite 1.1.0 is under way at 5 %")
        assert (looked.results["changed"], place.kinds()[-1]) == ("false", "published")
        assert act("canary-pause").code == 2, "without a reason"
        assert act("canary-pause", "--reason=a storm").results["changed"] == "true"
        assert act("canary-status").results["state"].startswith("sonic-lite 1.1.0 is paused by hand at 5 %")
        assert act("canary-resume", "--reason=gone").results["changed"] == "true"
        stopped = act("canary-abort", "--reason=green faces")
        assert (stopped.results["current"], stopped.results["changed"]) == ("", "true")
        assert act("canary-abort", "--reason=green faces").results["changed"] == "false"
        assert place.kinds()[-3:] == ["canary paused", "canary resumed", "canary aborted"]
        long = {"penstock.dev/version": "ü" * 5000}
        there.edit(lambda spec: spec["template"]["metadata"]["annotations"].update(long))
        answer = act("canary-status")
        assert answer.code == 0, answer.error
        kept = answer.results["state"]
        assert kept.startswith("sonic-lite üü")
        assert len(kept.encode()) in (599, 600), "all results share 1 KiB"


@pytest.mark.slow
def test_a_control_group_that_was_left_behind_is_seen(folders: StepFolders) -> None:
    with serving(ControlServer(folders.folder / "secrets")) as there:
        place = CanaryPlace(folders.folder, there, "serves")
        there.control["spec"]["replicas"] = 2
        given = [f"--targets={place.file.parent}", f"--target-secrets={there.folder}", f"--store={place.store.uri}"]
        answer = folders.call("move", "--act=canary-status", f"--model={MODEL}", "--by=ann", *given)
        left = "its control group has 2 pods and a weight of 0; left behind by a promotion that was killed"
        assert answer.results["state"] == f"sonic-lite 1.1.0 serves everybody; {left}"


def test_receivers_are_told_and_a_failure_is_in_the_log(two: StepFolders) -> None:
    receivers = two.folder / "receivers"
    receivers.mkdir()
    (receivers / "urls").write_text("wecombot://\n")
    assert call(two, "rollback", f"--receivers={receivers}").code == 2
    assert current(two) == "1.1.0", "nothing is done for receivers that cannot be any"
    (receivers / "urls").write_text("json://127.0.0.1:1\n")
    answer = call(two, "rollback", f"--receivers={receivers}")
    assert (answer.code, current(two)) == (0, "1.0.0")
    assert answer.results == moved_to("1.0.0")
    (line,) = [line for line in answer.lines if line["event"] == "not told"]
    assert "1 of 1 notifications were not sent" in line["error"]


@pytest.mark.slow
def test_mlflow_is_kept_up_to_date_and_its_outage_stops_nothing(two: StepFolders) -> None:
    folder = two.folder / "mlflow"
    folder.mkdir()
    with mlflow_server() as server:
        (folder / "url").write_text(server.url)
        assert call(two, "rollback", f"--mlflow={folder}").code == 0
        assert server.aliases == {(MODEL, "current"): "1"}
    answer = call(two, "promote", "--version=1.1.0", f"--mlflow={folder}")
    assert (answer.code, current(two)) == (0, "1.1.0")
    (line,) = [line for line in answer.lines if line["event"] == "not tracked"]
    assert "MLflow cannot be reached" in line["error"]
    assert "penstock track" in line["error"]


def test_to_a_target_with_the_platform_s_file_and_secrets(folders: StepFolders) -> None:
    store = LocalStore(folders.folder / "with-targets")
    with receiver() as hook:
        file, secrets, key = platform(folders.folder, hook, keys=True)
        publish_with_image(folders.folder, store, 0, key=key)
        given = ["--act=promote", f"--model={MODEL}", "--version=1.0.0", "--reason=go", "--by=ann"]
        given.append(f"--store={folders.folder / 'with-targets'}")
        refused = folders.call("move", *given)
        assert refused.code == 2
        assert "it is served at the target 'studio'" in refused.error
        workspaces = [f"--targets={file.parent}", f"--target-secrets={secrets}"]
        assert folders.call("move", *given, *workspaces).results == moved_to("1.0.0")
        assert hook.image == f"sha256:{'0' * 64}"
        assert folders.call("move", *given, *workspaces).results == moved_to("1.0.0", changed="false")
        file.write_text(file.read_text().replace("verdict_keys:\n- penstock.pub\n", ""))
        lines = folders.call("move", *given, *workspaces).lines
        assert "verdict not verified: targets.yaml names no verdict_keys" in [line.get("message") for line in lines]
        file.unlink()
        assert folders.call("move", *given, *workspaces).code == 2


def test_withdrawn_before_any_is_current(folders: StepFolders) -> None:
    released(folders.folder, open_store(folders.store), "run-0", "1.0.0", "https://git.example.org/a", target="shop")
    assert call(folders, "withdraw", "--version=1.0.0").results == moved_to("")
