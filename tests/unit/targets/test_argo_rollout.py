"""A Rollout: some users, then all; stopped, undecided or too late, it goes back exactly."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.unit.targets.api_server import serving
from tests.unit.targets.pairs import pair
from tests.unit.targets.promotions import MODEL, publish_with_image
from tests.unit.targets.rollouts_api import FAILED, RolloutServer, rollout_settings
from tests.unit.targets.targets_files import write_targets

from penstock.foundation.errors import ExitCode, UsageError, WorldError
from penstock.releases.acts import promote
from penstock.releases.baseline import baseline
from penstock.store.local import LocalStore
from penstock.targets.argo_rollout import CanaryUndecidedError, RolloutTarget
from penstock.targets.delivery import Delivery
from penstock.targets.deployment import EditedError
from penstock.targets.waiting import NotServingError

pytestmark = pytest.mark.slow
"""To import the client takes a second."""


@pytest.fixture
def there(tmp_path: Path) -> Iterator[RolloutServer]:
    with serving(RolloutServer(tmp_path / "secrets")) as found:
        yield found


def test_the_pair_serves_and_goes_back_exactly(there: RolloutServer) -> None:
    target, before = there.rollout(), copy.deepcopy(there.template)
    target.check(pair())
    state = target.state()
    target.deploy(pair(), None)
    assert there.container["image"] == pair().image
    assert int(there.deployment["metadata"]["annotations"]["penstock.dev/since"]) > 1_700_000_000
    assert [change["path"] for change in there.patches[0]] == [
        "/metadata/resourceVersion",
        "/spec/template",
        "/metadata/annotations",
    ]
    target.restore(state)
    assert there.template == before


def test_one_whose_watch_is_slower_than_its_time_is_undecided(there: RolloutServer) -> None:
    there.fate = "canary"
    target = there.rollout(canary_s=0.05)
    target.state()
    with pytest.raises(CanaryUndecidedError, match=r"had 0\.05 s, and its analysis is Running at 5 %"):
        target.deploy(pair(), None)


def test_one_that_a_person_holds_until_its_time_is_over_is_late(there: RolloutServer) -> None:
    there.fate = "canary"
    target = there.rollout(canary_s=0.05)
    target.state()
    there.before_patch = [lambda: there.deployment["spec"].update(paused=True)]
    with pytest.raises(NotServingError, match=r"after 0\.05 s: sonic-lite 1\.1\.0 is paused by hand at 5 %, its a"):
        target.deploy(pair(), None)


def test_one_that_its_analysis_stopped_is_told_with_the_reason_and_put_back(there: RolloutServer) -> None:
    there.fate = "failed"
    target, before = there.rollout(canary_s=60.0), copy.deepcopy(there.template)
    state = target.state()
    with pytest.raises(NotServingError) as caught:
        target.deploy(pair(), None)
    assert f"the canary was stopped: RolloutAborted: Rollout aborted update to revision 2: {FAILED}" in str(
        caught.value
    )
    there.edit(lambda spec: spec.update(paused=True))
    target.restore(state)
    assert there.template == before
    assert there.deployment["spec"]["paused"] is False


def test_an_undecided_one_waits_for_a_person_and_is_never_promoted(there: RolloutServer) -> None:
    there.fate = "inconclusive"
    target, before = there.rollout(canary_s=0.05), copy.deepcopy(there.template)
    state = target.state()
    with pytest.raises(
        CanaryUndecidedError, match=r"inconclusive, needs you: the canary of sonic-lite 1\.1\.0 had"
    ) as it:
        target.deploy(pair(), None)
    assert it.value.exit_code == ExitCode.INCONCLUSIVE
    target.restore(state)
    assert there.template == before


@pytest.mark.parametrize(
    ("fate", "told"),
    [
        ("unseen", "not been seen"),
        ("another image", "runs another image"),
        ("ImagePullBackOff", "a pod cannot start"),
        ("a Service behind", "these Services do not lead to its pods yet: sonic-stable"),
    ],
)
def test_what_does_not_serve_is_not_taken_for_it(there: RolloutServer, fate: str, told: str) -> None:
    there.fate = fate
    target = there.rollout(canary_s=0.05)
    target.state()
    with pytest.raises(NotServingError, match=told):
        target.deploy(pair(), None)


def test_a_canary_that_is_there_already_is_refused(there: RolloutServer) -> None:
    there.fate = "canary"
    there.edit(lambda spec: spec["template"]["spec"]["containers"][0].update(image="by-hand"))
    with pytest.raises(UsageError, match=r"a canary is there already: .*penstock canary abort studio"):
        there.rollout().state()


def left_behind(there: RolloutServer, fate: str = "canary", **more: float) -> tuple[RolloutTarget, str]:
    """A stopped canary stands in the template; ours has taken its place, and is to be put back."""
    there.fate = "failed"
    there.edit(lambda spec: spec["template"]["spec"]["containers"][0].update(image="left-behind"))
    target = there.rollout(**more)
    state = target.state()
    there.fate = fate
    return target, state


def test_a_stopped_one_that_was_left_is_never_begun_again(there: RolloutServer) -> None:
    target, state = left_behind(there, canary_s=0.05, timeout_s=0.05)
    with pytest.raises(CanaryUndecidedError):
        target.deploy(pair(), None)
    there.refuse = [503] * 100
    with pytest.raises(WorldError, match=r"it is not known to be stopped: .*503.*penstock canary abort studio"):
        target.restore(state)
    there.refuse = [503]
    target.restore(state)
    assert there.patches[-1] == {"status": {"abort": True}}
    assert there.container["image"] == pair().image


def test_ours_is_stopped_once_the_controller_has_seen_it(there: RolloutServer) -> None:
    """What it finds beside a new template it takes away; and one that it has not seen may still come to serve."""
    target, state = left_behind(there, "unseen", canary_s=0.05, timeout_s=0.05)
    with pytest.raises(NotServingError):
        target.deploy(pair(), None)
    with pytest.raises(WorldError, match="not known to be stopped: the change has not been seen"):
        target.restore(state)
    assert {"status": {"abort": True}} not in there.patches


def test_what_serves_everybody_by_now_is_not_taken_for_stopped(there: RolloutServer) -> None:
    """The pointer could not be moved, for one: an abort would do nothing."""
    target, state = left_behind(there, "serves")
    target.deploy(pair(), None)
    with pytest.raises(WorldError, match=r"it serves everybody by now.*Promote the current release"):
        target.restore(state)


def test_the_very_one_that_was_stopped_is_refused(there: RolloutServer) -> None:
    there.fate = "failed"
    first = there.rollout()
    first.state()
    with pytest.raises(NotServingError):
        first.deploy(pair(), None)
    again = there.rollout()
    state = again.state()
    with pytest.raises(UsageError, match=r"its template is there yet.*Promote the current release"):
        again.deploy(pair(), None)
    again.restore(state)
    assert len(there.patches) == 1


def test_one_whose_controller_is_gone_is_no_undecided_one(
    there: RolloutServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What its status says of an analysis is of the canary before."""
    there.fate = "unseen"
    target = there.rollout(canary_s=0.05)
    target.state()
    analysis = {"currentStepAnalysisRunStatus": {"name": "a", "status": "Inconclusive"}}
    as_it_is = there.status_of_fate
    monkeypatch.setattr(there, "status_of_fate", lambda *given: as_it_is(*given) | {"canary": analysis})
    with pytest.raises(NotServingError, match="has not been seen"):
        target.deploy(pair(), None)


def test_a_template_that_somebody_has_moved_elsewhere_is_left_alone(
    there: RolloutServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    there.fate = "canary"
    target = there.rollout()
    state = target.state()
    monkeypatch.setattr(target, "_missing", lambda _: str(there.deployment["spec"].pop("template")))
    with pytest.raises(EditedError):
        target.deploy(pair(), None)
    with pytest.raises(EditedError):
        target.restore(state)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"rollbackWindow": None}, "no rollbackWindow"),
        ({"strategy": {"canary": {"steps": [{"setWeight": 5}]}}}, "no step of the Rollout waits for an analysis"),
        ({"strategy": {"blueGreen": {}}}, "no step of the Rollout waits for an analysis"),
        ({"paused": True}, "the Rollout is paused.*penstock canary resume studio"),
        ({"replicas": 0}, "the Rollout has 0 replicas"),
    ],
)
def test_one_that_cannot_take_a_canary_is_refused_first(
    there: RolloutServer, change: dict[str, object], told: str
) -> None:
    there.deployment["spec"] |= change
    with pytest.raises(UsageError, match=told):
        there.rollout().state()
    assert there.patches == []


def test_one_whose_template_is_elsewhere_is_refused(there: RolloutServer) -> None:
    del there.deployment["spec"]["template"]
    with pytest.raises(UsageError, match="the Rollout has no pod template"):
        there.rollout().state()


def test_the_pointer_follows_what_serves_all(there: RolloutServer, tmp_path: Path) -> None:
    there.write_kubeconfig()
    store = LocalStore(tmp_path / "store")
    wanted = rollout_settings().model_dump(mode="json", exclude_none=True)
    file = write_targets(tmp_path / "platform", studio=wanted)

    def act(version: str) -> None:
        promote(store, MODEL, version, reason="ready", serving=Delivery(store, file, there.folder, by="ann"))

    publish_with_image(tmp_path, store, 0)
    act("1.0.0")
    before = copy.deepcopy(there.template)
    publish_with_image(tmp_path, store, 1, before="run-0")
    there.fate = "failed"
    with pytest.raises(NotServingError):
        act("1.1.0")
    found = baseline(store, MODEL)
    assert found is not None
    assert (there.template, found.version) == (before, "1.0.0")
    there.fate = "serves"
    act("1.1.0")
    found = baseline(store, MODEL)
    assert found is not None
    assert (there.container["image"][-64:], found.version) == ("1" * 64, "1.1.0")
