"""Pause, resume, abort: done once, on record, and never more than what was asked."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.unit.targets.api_server import serving
from tests.unit.targets.control_api import NAME, ControlServer
from tests.unit.targets.promotions import MODEL, publish_with_image
from tests.unit.targets.rollouts_api import RolloutServer, rollout_settings
from tests.unit.targets.targets_files import deployment, webhook, write_targets

from penstock.cli.app import main
from penstock.foundation.errors import UsageError, WorldError
from penstock.releases.history import history
from penstock.store.local import LocalStore
from penstock.targets import canary_acts, control_group
from penstock.targets.canary_acts import Canary, rollout_of
from penstock.targets.targets_file import load_targets

pytestmark = pytest.mark.slow
"""To import the client takes a second."""


class Place:
    """A canary of 1.1.0 is under way at 5 %."""

    def __init__(self, folder: Path, there: RolloutServer, fate: str = "canary") -> None:
        self.there, self.store = there, LocalStore(folder / "store")
        control = {"control": NAME} if isinstance(there, ControlServer) else {}
        there.write_kubeconfig()
        self.file = write_targets(
            folder / "platform",
            studio=rollout_settings(**control).model_dump(mode="json", exclude_none=True),
            hook=webhook(),
        )
        publish_with_image(folder, self.store, 0, target=None)
        publish_with_image(folder, self.store, 1, before="run-0")
        there.fate = fate
        annotations = {"penstock.dev/model": MODEL, "penstock.dev/version": "1.1.0", "penstock.dev/run": "run-1"}

        def bring(spec: dict[str, Any]) -> None:
            spec["template"]["metadata"]["annotations"] |= annotations
            spec["template"]["spec"]["containers"][0]["image"] = f"registry.example.org/sonic@sha256:{'1' * 64}"

        there.edit(bring)

    def canary(self) -> Canary:
        return Canary(load_targets(self.file), MODEL, self.there.folder, where="targets.yaml")

    def opened(self) -> LocalStore:
        return self.store

    def kinds(self) -> list[str]:
        return [move.kind for move in history(self.store, MODEL).moves]


@pytest.fixture
def there(tmp_path: Path) -> Iterator[RolloutServer]:
    with serving(RolloutServer(tmp_path / "secrets")) as found:
        yield found


def test_each_is_done_once_and_on_record(there: RolloutServer, tmp_path: Path) -> None:
    place = Place(tmp_path, there)
    for act, kind in (("pause", "canary paused"), ("resume", "canary resumed"), ("abort", "canary aborted")):
        done = place.canary().do(act, place.opened, reason="a storm", by="bob")  # type: ignore[arg-type]
        assert done.entry is not None
        assert (done.entry.kind, done.entry.by, done.entry.reason, done.entry.version) == (
            kind,
            "bob",
            "a storm",
            "1.1.0",
        )
        assert done.entry.before == "1.0.0"
        assert place.canary().do(act, place.opened, reason="a storm").entry is None  # type: ignore[arg-type]
    assert there.patches == [{"spec": {"paused": True}}, {"spec": {"paused": False}}, {"status": {"abort": True}}]
    assert place.kinds() == ["published", "published", "canary paused", "canary resumed", "canary aborted"]
    assert place.canary().state().word == "stopped"
    with pytest.raises(UsageError, match="that canary was stopped: it cannot go on"):
        place.canary().do("pause", place.opened, reason="too late")
    assert history(place.store, MODEL).current.current_version == "1.0.0"


def test_an_undecided_one_that_is_resumed_is_looked_at_again(there: RolloutServer, tmp_path: Path) -> None:
    """The controller's own 'promote' would go past the analysis, and so to everybody. And it begins an inconclusive
    analysis anew only where ``controllerPause`` is still set: without it the pause comes back, with the old analysis.
    That looks from now on: of the first start the watch's time is over, and nothing more would be decided.
    """
    place = Place(tmp_path, there, "inconclusive")
    assert place.canary().state().word == "inconclusive"
    assert place.canary().do("resume", place.opened, reason="more traffic now").entry is not None
    begun, let_go = there.patches
    assert int(begun["metadata"]["annotations"]["penstock.dev/since"]) > 1_700_000_000
    assert let_go == {"status": {"pauseConditions": None}}


def test_the_cluster_comes_before_the_record(there: RolloutServer, tmp_path: Path) -> None:
    place = Place(tmp_path, there)
    with pytest.raises(WorldError, match="the abort is done, and is not on record: no version"):
        place.canary().do("abort", lambda: LocalStore(tmp_path / "another"), reason="green faces")
    assert there.deployment["status"]["abort"] is True


def test_what_penstock_has_not_brought_is_left_alone(there: RolloutServer, tmp_path: Path) -> None:
    place = Place(tmp_path, there)
    there.edit(lambda spec: spec["template"]["metadata"].pop("annotations"))
    with pytest.raises(UsageError, match="the pair there was not brought by Penstock"):
        place.canary().do("abort", place.opened, reason="green faces")
    assert there.patches == []


def test_an_api_server_that_is_away_is_told(there: RolloutServer, tmp_path: Path) -> None:
    place = Place(tmp_path, there)
    there.refuse = [503]
    with pytest.raises(WorldError, match=r"503.*Try again"):
        place.canary().state()


def test_a_reason_is_asked_for_first(there: RolloutServer, tmp_path: Path) -> None:
    place = Place(tmp_path, there)
    with pytest.raises(UsageError, match="a reason has 1 to 500"):
        place.canary().do("abort", place.opened, reason=" ")
    assert there.patches == []


@pytest.mark.parametrize(
    ("named", "told"),
    [
        ("hook", "is of the kind 'webhook', which has no canary"),
        ("other", "no target of kind 'rollout' is called 'other' or serves it. There is: a, b"),
        (MODEL, "'sonic-lite' has several: a, b"),
    ],
)
def test_a_name_that_is_none_is_refused(tmp_path: Path, named: str, told: str) -> None:
    rollout = {**deployment(), "kind": "rollout"}
    targets = load_targets(write_targets(tmp_path, a=rollout, b=rollout, hook=webhook()))
    with pytest.raises(UsageError, match=told):
        rollout_of(targets, named, where="targets.yaml")
    assert rollout_of(targets, "a", where="targets.yaml")[0] == "a"


def test_the_commands(there: RolloutServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    place = Place(tmp_path, there)
    common = ["studio", "--targets", str(place.file), "--secrets", str(there.folder)]
    assert main(["canary", "status", *common]) == 0
    assert capsys.readouterr().out == "studio: sonic-lite 1.1.0 is under way at 5 %, its analysis: Running\n"
    acting = [*common, "--store", str(tmp_path / "store"), "--by", "bob", "--reason", "green faces"]
    assert main(["canary", "abort", *acting]) == 0
    assert capsys.readouterr().out == "studio: the canary sonic-lite 1.1.0 is stopped, it was at 5 %\n"
    assert main(["canary", "abort", *acting]) == 0
    assert capsys.readouterr().out.startswith("studio: nothing to abort: sonic-lite 1.1.0 was stopped: RolloutAborted")
    assert main(["canary", "status", *common, "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["state"], said["weight"], said["version"]) == ("stopped", 5, "1.1.0")
    assert main(["canary", "abort", *acting, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["changed"] is False
    assert main(["canary", "pause", *acting]) == 2


def test_an_abort_does_not_stumble_over_the_store(
    there: RolloutServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = Place(tmp_path, there)
    common = ["studio", "--targets", str(place.file), "--secrets", str(there.folder), "--reason", "green faces"]
    nowhere = ["--store", str(tmp_path / "not mounted")]
    assert main(["canary", "pause", *common, *nowhere]) == 2
    assert there.patches == []
    assert main(["canary", "abort", *common, *nowhere]) == 4
    assert "the abort is done, and is not on record: there is no store here" in capsys.readouterr().err
    assert there.deployment["status"]["abort"] is True


def test_one_that_came_to_all_while_it_was_paused_is_let_go(there: RolloutServer, tmp_path: Path) -> None:
    place = Place(tmp_path, there, "serves")
    there.edit(lambda spec: spec.update(paused=True))
    assert place.canary().do("abort", place.opened, reason="too late").entry is None
    assert place.canary().do("resume", place.opened, reason="it serves").entry is not None
    assert there.patches == [{"spec": {"paused": False}}]


def test_an_abort_waits_until_the_controller_has_seen_the_template(
    there: RolloutServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a new template the controller begins a new canary, and forgets that one was aborted."""
    monkeypatch.setattr(canary_acts, "SEEN_S", 0.02)
    monkeypatch.setattr(canary_acts, "SEEN_POLL_S", 0.01)
    place = Place(tmp_path, there, "unseen")
    with pytest.raises(WorldError, match="nothing was stopped: the controller has not seen"):
        place.canary().do("abort", place.opened, reason="green faces")
    assert (there.patches, place.kinds()) == ([], ["published", "published"])


def test_one_that_was_late_and_may_still_go_on_is_stopped(there: RolloutServer, tmp_path: Path) -> None:
    place = Place(tmp_path, there)
    there.deployment["status"] |= {"phase": "Degraded", "message": "ProgressDeadlineExceeded"}
    assert place.canary().state().word == "stopped"
    assert place.canary().do("abort", place.opened, reason="green faces").entry is not None
    assert there.patches == [{"status": {"abort": True}}]


def test_a_stopped_one_does_not_stay_paused(there: RolloutServer, tmp_path: Path) -> None:
    """Else nothing could be promoted there: a paused Rollout is refused, and a stopped one does not go on."""
    place = Place(tmp_path, there)
    place.canary().do("pause", place.opened, reason="a storm")
    place.canary().do("abort", place.opened, reason="green faces")
    assert there.deployment["spec"]["paused"] is False
    there.edit(lambda spec: spec.update(paused=True))
    with pytest.raises(UsageError, match="This ends its pause: penstock canary abort studio"):
        place.canary().do("resume", place.opened, reason="why not")
    assert place.canary().do("abort", place.opened, reason="green faces").entry is not None
    assert there.deployment["spec"]["paused"] is False
    assert there.deployment["status"]["abort"] is True


def test_one_that_waits_at_a_step_goes_on_from_there(there: RolloutServer, tmp_path: Path) -> None:
    place = Place(tmp_path, there)
    there.deployment["status"] |= {"controllerPause": True, "pauseConditions": [{"reason": "CanaryPauseStep"}]}
    assert place.canary().do("resume", place.opened, reason="go on").entry is not None
    assert there.patches == [{"status": {"pauseConditions": None}}]


def test_an_abort_ends_the_control_group_of_a_promotion_that_was_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(control_group, "END_POLL_S", 0.01)
    monkeypatch.setattr(control_group, "DRAIN_S", 0.02)
    with serving(ControlServer(tmp_path / "secrets")) as there:
        place = Place(tmp_path, there)
        there.control["spec"]["replicas"] = 1
        there.router["spec"]["weighted"]["services"][2]["weight"] = 5
        place.canary().do("pause", place.opened, reason="a look")
        assert there.changes == []
        argv = ["canary", "status", MODEL, f"--targets={place.file}", f"--secrets={there.folder}"]
        assert main(argv) == 0
        assert capsys.readouterr().out.endswith("; its control group has 1 pod and a weight of 5\n")
        there.fate = "serves"
        there.edit(lambda _: None)
        assert main(argv) == 0
        assert (
            "serves everybody; its control group has 1 pod and a weight of 5; left behind by" in capsys.readouterr().out
        )
        there.router["spec"]["weighted"]["services"][2]["weight"] = 0  # it was killed before its pod was ready
        assert main(argv) == 0
        assert "its control group has 1 pod and a weight of 0; left behind by" in capsys.readouterr().out
        there.gone = "Deployment"
        assert main([*argv, "--json"]) == 0
        said = json.loads(capsys.readouterr().out)
        assert (said["control_pods"], said["control_weight"]) == (0, 0)
        there.gone, there.router["spec"]["weighted"]["services"][2]["weight"] = "", 5
        there.fate, there.stable = "canary", "before"
        there.edit(lambda spec: spec.update(paused=False))
        assert place.canary().do("abort", place.opened, reason="green").entry is not None
        assert there.changes == ["weight 0", "replicas 0"]
        there.router["spec"]["weighted"]["services"][2]["weight"] = 5
        assert place.canary().do("abort", place.opened, reason="green").entry is None
        assert there.changes[2:] == ["weight 0"], "what was left behind all the same goes the second time"
