"""The control group: fresh pods of the stable release get users while a canary does, and are gone after it."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.unit.targets.api_server import OLD_IMAGE, Json, serving
from tests.unit.targets.control_api import LABELS, NAME, ControlServer
from tests.unit.targets.pairs import pair
from tests.unit.targets.rollouts_api import rollout_settings

from penstock.foundation.errors import UsageError, WorldError
from penstock.targets import control_group
from penstock.targets.argo_rollout import RolloutTarget
from penstock.targets.canary import CanaryState
from penstock.targets.control_group import DRAIN_S, SETTLE_S, ControlGroup
from penstock.targets.waiting import CanaryStoppedError, CanaryUndecidedError
from penstock.targets.workload_api import WorkloadApi

pytestmark = pytest.mark.slow
"""To import the client takes a second."""


@pytest.fixture
def there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ControlServer]:
    monkeypatch.setattr(control_group, "END_POLL_S", 0.01)
    monkeypatch.setattr(control_group, "DRAIN_S", 0.05)
    monkeypatch.setattr(control_group, "SETTLE_S", 0.0)
    with serving(ControlServer(tmp_path / "secrets")) as found:
        yield found


class Group:
    """One with a clock of its own, and a canary of another image at 5 % that has one pod."""

    def __init__(self, there: ControlServer, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(control_group, "DRAIN_S", DRAIN_S)
        there.write_kubeconfig()
        self.there, self.now, self.clocked = there, 100.0, False
        self.stable = copy.deepcopy(there.template)
        there.fate = "canary"
        there.edit(lambda spec: spec["template"]["spec"]["containers"][0].update(image="example.org/new"))
        api = WorkloadApi(rollout_settings(), there.folder, where="target 'studio'")
        self.group = ControlGroup(api, NAME, where="target 'studio'", clock=self.clock)

    def clock(self) -> float:
        self.now += self.clocked
        return self.now

    def look(self) -> str:
        return self.group.follow(self.there.deployment, CanaryState.of(self.there.deployment))

    def until_steady(self) -> list[str]:
        said = []
        while missing := self.look():
            said.append(missing)
            assert len(said) < 9
            self.now += 3
        return said


@pytest.fixture
def group(there: ControlServer, monkeypatch: pytest.MonkeyPatch) -> Group:
    return Group(there, monkeypatch)


def test_pods_of_the_stable_release_come_first_and_then_its_users(group: Group) -> None:
    assert group.until_steady() == ["its pods are started"]
    there = group.there
    assert there.changes == ["replicas 1", "weight 5"]
    template: Json = there.control["spec"]["template"]
    assert template["spec"] == group.stable["spec"]
    assert template["spec"]["containers"][0]["image"] == OLD_IMAGE
    assert template["metadata"]["annotations"] == group.stable["metadata"]["annotations"]
    assert template["metadata"]["labels"] == LABELS, "its own: neither the Rollout's Services nor it find these pods"
    assert (group.until_steady(), len(there.changes)) == ([], 2), "what is so already is left alone"


@pytest.mark.parametrize("ends", ["failed", "serves"])
def test_its_users_go_first_and_its_pods_a_little_later(group: Group, ends: str) -> None:
    group.until_steady()
    group.there.fate = ends
    group.there.edit(lambda _: None)
    assert group.look() == "it still gets users"
    assert group.look() == "its pods still end their requests"
    assert group.there.replicas == 1
    group.now += DRAIN_S
    assert group.look() == ""
    assert group.there.changes[2:] == ["weight 0", "replicas 0"]


def test_once_the_steps_are_over_it_ends_though_the_canary_is_not_with_all_yet(group: Group) -> None:
    group.until_steady()
    group.there.deployment["status"] |= {"currentStepIndex": 2, "updatedReplicas": 2}
    group.until_steady()
    assert group.there.changes[2:] == ["weight 0", "replicas 0"], "it is not made as large as all of the release"


def test_a_step_at_which_everybody_has_the_canary_leaves_nobody_to_it(group: Group) -> None:
    group.until_steady()
    group.there.deployment["status"]["canary"]["weights"]["canary"]["weight"] = 100
    group.until_steady()
    assert group.there.changes[2:] == ["weight 0", "replicas 0"]


def test_while_the_canarys_only_pod_is_replaced_it_stays(group: Group) -> None:
    group.there.deployment["status"]["updatedReplicas"] = 0
    assert group.until_steady() == []
    assert group.there.changes == [], "its pods begin when the canary's do"
    group.there.deployment["status"]["updatedReplicas"] = 1
    group.until_steady()
    group.there.deployment["status"]["updatedReplicas"] = 0
    group.until_steady()
    assert group.there.changes == ["replicas 1", "weight 5"]


def test_as_many_pods_and_users_as_the_canary(group: Group) -> None:
    group.until_steady()
    group.there.deployment["status"] |= {"updatedReplicas": 2, "canary": {"weights": {"canary": {"weight": 20}}}}
    group.until_steady()
    assert group.there.changes[2:] == ["replicas 2", "weight 20"]


def test_the_router_hears_of_its_pods_before_it_sends_users(group: Group, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(control_group, "SETTLE_S", SETTLE_S)
    group.look()
    assert group.look() == "its pods have just become ready"
    group.now += SETTLE_S - 0.1
    assert group.look() == "its pods have just become ready"
    assert group.there.weight == 0
    group.now += 0.2
    assert group.look() == ""
    assert group.there.weight == 5


def test_a_pod_that_is_not_ready_gets_no_users_and_says_why(group: Group) -> None:
    group.there.starts = False
    group.look()
    assert group.look() == "its pods are not ready: sonic-control-1: unready containers: [model]"
    assert group.there.weight == 0
    group.there.starts = True
    group.there.control_comes()
    assert group.look() == ""
    assert group.there.weight == 5
    group.there.starts = False
    group.there.control_comes()
    assert group.look()
    assert group.there.weight == 0, "its users would get errors, beside which a bad canary looks good"


def test_what_a_killed_promotion_has_left_gets_no_users_for_another_release(group: Group) -> None:
    there = group.there
    there.router["spec"]["weighted"]["services"][2]["weight"] = 5
    there.control["spec"]["replicas"] = 1
    assert group.look() == "it still gets users for another release"
    assert there.weight == 0
    group.until_steady()
    assert there.control["spec"]["template"]["spec"] == group.stable["spec"]
    assert there.weight == 5


def test_a_change_of_somebody_who_was_faster_is_looked_at_again(group: Group) -> None:
    group.there.during_patch = ["traefikservices", "deployments"]
    assert group.until_steady() == ["it has changed meanwhile", "its pods are started", "it has changed meanwhile"]
    assert group.there.changes == ["replicas 1", "weight 5"]


def test_a_template_that_the_server_completes_is_sent_once(group: Group, monkeypatch: pytest.MonkeyPatch) -> None:
    sent, changed = [], group.there.changed

    def completed(found: Json, path: str, body: bytes) -> tuple[int, Json]:
        sent.append(path)
        answer = changed(found, path, body)
        group.there.control["spec"]["template"]["spec"]["injected"] = True
        return answer

    monkeypatch.setattr(group.there, "changed", completed)
    group.until_steady()
    group.until_steady()
    assert len(sent) == 2
    assert group.there.weight == 5


def test_one_that_cannot_be_had_is_told_and_ends_no_canary(group: Group) -> None:
    group.there.refuse = [403]
    assert group.look().startswith("the API server refuses (403)")
    group.there.refuse = [500]
    assert group.look().startswith("the API server answers 500")
    del group.there.router["spec"]["weighted"]["services"][2]
    assert group.look() == "the TraefikService 'sonic' has no entry 'sonic-control' any more"
    group.there.sets = []
    group.there.deployment["status"]["stableRS"] = "other"
    group.there.stable = "other"
    assert group.look() == "the ReplicaSet of the stable release is not found"


def test_an_entry_without_a_weight_is_one_of_weight_1(group: Group) -> None:
    del group.there.router["spec"]["weighted"]["services"][2]["weight"]
    assert group.group.end() == ""
    assert group.there.weight == 0


@pytest.mark.parametrize("gone", ["Deployment", "TraefikService", "entry"])
def test_what_somebody_has_deleted_keeps_no_promotion_from_its_end(group: Group, gone: str) -> None:
    group.until_steady()
    group.there.fate = "serves"
    group.there.edit(lambda _: None)
    if gone == "entry":
        del group.there.router["spec"]["weighted"]["services"][2]
    else:
        group.there.gone = gone
    group.until_steady()
    ended = {"Deployment": "weight 0", "TraefikService": "replicas 0", "entry": "replicas 0"}
    assert group.there.changes[2:] == [ended[gone]]


def test_nobody_is_sent_to_a_deployment_that_somebody_has_deleted(group: Group) -> None:
    group.until_steady()
    group.there.gone = "Deployment"
    assert group.look() == "there is no Deployment 'sonic-control' in the namespace 'studio'"
    assert group.there.weight == 0
    group.there.gone = "TraefikService"
    assert group.look() == "the TraefikService 'sonic' has no entry 'sonic-control' any more"


def test_a_rollout_that_names_its_router_no_more_leaves_it_alone(group: Group) -> None:
    group.until_steady()
    del group.there.deployment["spec"]["strategy"]["canary"]["trafficRouting"]
    assert group.look() == "the Rollout names no TraefikService any more"
    assert group.group.end() == "the Rollout names no TraefikService any more"
    assert group.there.replicas == 1, "its users, if there are any, still get answers"


def test_a_silent_api_server_is_asked_again_until_it_has_ended(group: Group) -> None:
    group.until_steady()
    group.there.refuse, group.clocked = [503, 500], True
    assert group.group.end() == ""
    assert group.there.changes[2:] == ["weight 0", "replicas 0"]


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ("no entry", "the TraefikService 'sonic' has no entry 'sonic-control'"),
        ("no Traefik", "a control group needs Traefik"),
        ("its own", "'sonic-control' is a Service of the Rollout itself"),
        ("no Service", "there is no Service 'sonic-control'"),
        ("of others", "the Service 'sonic-control' does not lead to the pods of the Deployment 'sonic-control'"),
        ("of nobody", "the Service 'sonic-control' does not lead to the pods of the Deployment 'sonic-control'"),
        ("of all", "the Service 'sonic-control' leads to the pods of the Rollout as well"),
        ("no Deployment", "there is no Deployment 'sonic-control' in the namespace 'studio'"),
    ],
)
def test_a_platform_without_a_place_for_it_is_refused_before_anything_changes(
    there: ControlServer, wrong: str, told: str
) -> None:
    canary = there.deployment["spec"]["strategy"]["canary"]
    if wrong == "no entry":
        del there.router["spec"]["weighted"]["services"][2]
    elif wrong == "no Traefik":
        canary["trafficRouting"] = {"nginx": {}}
    elif wrong == "its own":
        canary["canaryService"] = NAME
    elif wrong == "no Service":
        there.service["metadata"]["name"] = "x"
    elif wrong == "of others":
        there.service["spec"]["selector"] = {"app": "another"}
    elif wrong == "of nobody":
        del there.service["spec"]["selector"]
    elif wrong == "of all":
        there.control["spec"]["template"]["metadata"]["labels"] = {"app": "sonic", "role": "control"}
        there.service["spec"]["selector"] = {"app": "sonic"}
    else:
        there.gone = "Deployment"
    with pytest.raises((UsageError, WorldError), match=told):
        there.with_control().state()
    assert there.changes == []
    assert there.patches == []


def test_a_promotion_that_is_stopped_leaves_none_behind(there: ControlServer) -> None:
    there.fate, there.then = "canary", "failed"
    target = there.with_control(canary_s=60.0)
    state = target.state()
    with pytest.raises(CanaryStoppedError):
        target.deploy(pair(), None)
    target.restore(state)
    assert there.changes == ["replicas 1", "weight 5", "weight 0", "replicas 0"]


def test_a_promotion_that_comes_to_all_waits_until_it_is_gone(there: ControlServer) -> None:
    there.control["spec"]["replicas"] = 1
    there.router["spec"]["weighted"]["services"][2]["weight"] = 5
    target = there.with_control()
    target.state()
    target.deploy(pair(), None)
    assert there.changes == ["weight 0", "replicas 0"]


def test_a_stopped_canary_is_told_though_the_control_group_cannot_be_ended(
    there: ControlServer, caplog: pytest.LogCaptureFixture
) -> None:
    there.fate = "failed"
    target = there.with_control()
    state = target.state()
    with pytest.raises(CanaryStoppedError):
        target.deploy(pair(), None)
    there.router["spec"]["weighted"]["services"][2]["weight"] = 5
    changed = there.changed

    def forbidden(found: Json, path: str, body: bytes) -> tuple[int, Json]:
        return (403, {"message": "no"}) if "traefik" in path else changed(found, path, body)

    there.changed = forbidden  # type: ignore[method-assign]
    target.restore(state)
    assert there.container["image"] == OLD_IMAGE
    assert "the control group of the target 'studio' is left behind: the API server refuses (403): no" in caplog.text


def test_people_are_told_that_the_control_group_gets_no_pod(
    there: ControlServer, caplog: pytest.LogCaptureFixture
) -> None:
    """Without that side no watch can tell, however long a canary waits."""
    caplog.set_level("INFO")
    there.fate, there.starts, asked = "inconclusive", False, list[str]()
    there.write_kubeconfig()
    target = RolloutTarget("studio", rollout_settings(canary_s=0.5, control=NAME), there.folder, asked.append)
    state = target.state()
    why = r"the control group: its pods are not ready: sonic-control-1: unready containers: \[model\]"
    with pytest.raises(CanaryUndecidedError, match=rf"is Inconclusive at 5 %: .*; {why}\."):
        target.deploy(pair(), None)
    target.restore(state)
    assert asked[0].endswith("; the control group: its pods are started")
    assert caplog.text.count("the control group of the target 'studio': its pods are not ready") == 1
