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
from penstock.releases.history import history
from penstock.store.local import LocalStore
from penstock.targets import controller_pulse
from penstock.targets.argo_rollout import RolloutTarget
from penstock.targets.controller_pulse import ControllerSilentError
from penstock.targets.delivery import Delivery
from penstock.targets.deployment import EditedError
from penstock.targets.news import News
from penstock.targets.waiting import CanaryStoppedError, CanaryUndecidedError, NotServingError

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
    assert there.deployment["metadata"]["annotations"]["penstock.dev/canary"] == pair().version
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
    with pytest.raises(
        UsageError, match=r"a canary is there already: .*penstock canary abort studio\), then penstock rollback"
    ):
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
    target.check(pair())
    target.deploy(pair(), pair("1.0.0", "0"))
    way = "Bring the current release back: penstock rollback sonic-lite --to 1.0.0 --reason TEXT"
    with pytest.raises(WorldError, match=f"it serves everybody by now.*{way}"):
        target.restore(state)


def test_the_very_one_that_was_stopped_is_refused(there: RolloutServer) -> None:
    there.fate = "failed"
    first = there.rollout()
    first.state()
    with pytest.raises(NotServingError):
        first.deploy(pair(), None)
    again = there.rollout()
    state = again.state()
    way = "penstock rollback sonic-lite --to 1.0.0 --reason TEXT"  # whose waiver may be over
    with pytest.raises(UsageError, match=f"its template is there yet.*{way}"):
        again.deploy(pair(), pair("1.0.0", "0"))
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

    heard: list[News] = []

    def act(version: str) -> None:
        serving = Delivery(store, file, there.folder, by="ann", heard=heard.append)
        promote(store, MODEL, version, reason="ready", serving=serving)

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
    (news,) = heard
    assert (news.event, news.version, news.serves, news.by) == ("canary stopped", "1.1.0", "1.0.0", "ann")
    assert FAILED in news.reason
    stopped = history(store, MODEL).moves[-1]
    assert (stopped.kind, stopped.version, stopped.by) == ("canary stopped", "1.1.0", "ann")
    assert stopped.reason == news.reason
    there.fate = "serves"
    act("1.1.0")
    found = baseline(store, MODEL)
    assert found is not None
    assert (there.container["image"][-64:], found.version) == ("1" * 64, "1.1.0")


def test_people_are_asked_once_a_pause(there: RolloutServer) -> None:
    there.fate, asked = "inconclusive", list[str]()
    there.write_kubeconfig()
    target = RolloutTarget("studio", rollout_settings(canary_s=0.3), there.folder, asked.append)
    target.state()
    with pytest.raises(CanaryUndecidedError):
        target.deploy(pair(), None)
    (said,) = asked
    assert said.startswith("its watch could not tell, it stays at 5 % of the users until 20")


def test_a_controller_that_does_not_see_the_change_is_told_within_its_time(
    there: RolloutServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing has come of the change then: the template is put back, and nobody waits for the controller again."""
    monkeypatch.setattr(controller_pulse, "SILENT_S", 0.05)
    there.fate = "unseen"
    target, before = there.rollout(canary_s=60.0), copy.deepcopy(there.template)
    state = target.state()
    with pytest.raises(ControllerSilentError, match="has not seen the change for"):
        target.deploy(pair(), None)
    target.restore(state)
    assert there.template == before


def test_a_controller_that_measures_no_more_is_told(there: RolloutServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(controller_pulse, "SILENT_S", 0.05)
    metric = {"interval": "10ms", "count": 3, "provider": {"web": {"timeoutSeconds": 0.01}}}
    monkeypatch.setattr(there, "analysis_run", {"spec": {"metrics": [metric]}})
    there.fate = "canary"
    target = there.rollout(canary_s=60.0)
    target.state()
    with pytest.raises(ControllerSilentError, match="has not measured anything for its analysis for"):
        target.deploy(pair(), None)


def test_an_analysis_that_is_gone_ends_no_promotion(there: RolloutServer) -> None:
    there.fate = "canary"
    target = there.rollout(canary_s=0.1)
    target.state()
    there.analysis_run = {}
    with pytest.raises(CanaryUndecidedError):
        target.deploy(pair(), None)


def test_a_pod_without_a_card_is_told_when_it_is_given_up(there: RolloutServer) -> None:
    scarce = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable"}
    scarce["message"] = "0/1 nodes are available: 1 Insufficient nvidia.com/gpu."
    there.fate = "failed"
    reconcile = there.reconcile

    def without_a_card() -> None:
        reconcile()
        for pod in there.pods:
            pod["status"]["conditions"] = [scarce]

    there.reconcile = without_a_card  # type: ignore[method-assign]
    target = there.rollout()
    target.state()
    with pytest.raises(CanaryStoppedError, match=r"no card is free for it: 0/1 nodes"):
        target.deploy(pair(), None)


def test_a_limit_that_would_end_a_watch_which_may_still_decide_is_refused(there: RolloutServer) -> None:
    there.metric = {"name": "watch", "interval": "60s", "count": 122}
    with pytest.raises(UsageError, match=r"may take 7320 s .* and canary_s is 5400\. Set 'canary_s'"):
        there.rollout(canary_s=5400.0).state()
    there.rollout(canary_s=7320.0).state()
    there.refuse = [403]
    with pytest.raises(WorldError):
        there.rollout(canary_s=7320.0).state()
