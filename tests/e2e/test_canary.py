"""A canary on the cluster, under load: it comes to all, is rolled back by itself, is stopped, or waits for a person."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator
from datetime import UTC, datetime

import httpx
import pytest
from tests.cluster import process
from tests.e2e.api import Object
from tests.e2e.canary_stage import MODEL, Stage, open_stage, promotion
from tests.e2e.facts import Facts
from tests.e2e.rollouts import CONTROL, feedback_policy, latency_policy

from penstock.releases.acts import roll_back
from penstock.releases.history import history
from penstock.store.local import LocalStore
from penstock.targets.delivery import Delivery
from penstock.targets.waiting import CanaryStoppedError, CanaryUndecidedError

GOOD, FLAKY, STOPPED, SLOW, UNSEEN = "1.1.0", "1.2.0-flaky", "1.3.0", "1.3.1-slow", "1.4.0"
LOOK_S = 90.0
SLOWEST_S = 45.0
"""What takes some seconds: how many is printed, and depends on what else the machine does."""
ROUTER_S = 5.0
"""For the router to hear of what the cluster has decided, and for what is under way: some 2 s on an idle machine."""


@pytest.fixture(scope="module")
def stage(facts: Facts, session_id: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """1.0.0 serves everybody, and users ask."""
    folder = tmp_path_factory.mktemp("canary")
    store, versions = LocalStore(folder / "store"), (GOOD, FLAKY, STOPPED, SLOW, UNSEEN)
    with open_stage(facts, f"canary-{session_id}", folder, store, versions) as there:
        yield there


def test_a_good_release_comes_to_five_percent_and_then_to_all(stage: Stage) -> None:
    began = time.monotonic()
    stage.publish(GOOD, "1.0.0")
    with promotion(stage, GOOD) as errors:
        stage.wait(lambda state: state.weight == 5, "the canary")
        assert stage.current == "1.0.0", "published is not current"
        assert process.wait_until(lambda: stage.control() == (1, 5), 30), "fresh pods of the release before, beside it"
        fresh = [httpx.get(f"http://{pod}/", trust_env=False).json() for pod in stage.pods_of(CONTROL)]
        assert fresh == [["1.0.0", hashlib.sha256(stage.files["1.0.0"]).hexdigest()]], "image and weights"
    assert errors == []
    assert stage.control() == (0, 0)
    assert stage.current == GOOD
    assert stage.versions_asked_for() == {GOOD}
    assert stage.canary("status")["state"] == "none"
    answers = stage.crowd.since(began)
    assert stage.crowd.failures == []
    assert all(answer.status == 200 and stage.pair(answer) for answer in answers)
    time.sleep(ROUTER_S)
    assert {answer.version for answer in stage.crowd.since(time.monotonic() - 1)} == {GOOD}
    met = [answer for answer in answers if answer.version == GOOD]
    first, last_old = met[0].at, max(answer.at for answer in answers if answer.version == "1.0.0")
    during = [answer for answer in answers if first <= answer.at <= last_old and not answer.user]
    share = sum(answer.version == GOOD for answer in during) / len(during)
    print(  # noqa: T201
        f"\n{len(answers)} requests, 0 failed; {first - began:.0f} s from publish to the first answer of the canary,"
        f" {last_old - first:.0f} s more to the last of the release before; {share:.1%} of {len(during)} meanwhile"
    )
    for user in {answer.user for answer in answers} - {0}:
        mine = [answer.version for answer in answers if answer.user == user]
        assert mine == sorted(mine), "who comes back with a cookie is not sent to and fro"


def test_one_that_misbehaves_live_is_rolled_back_by_itself(stage: Stage) -> None:
    template, began = stage.rollout()["spec"]["template"], time.monotonic()
    stage.publish(FLAKY, GOOD)
    with pytest.raises(CanaryStoppedError, match=r"the canary was stopped: .*[Mm]etric.*watch.* Failed"):
        stage.promote(FLAKY)
    assert stage.rollout()["spec"]["template"] == template, "put back exactly"
    assert stage.control() == (0, 0)
    assert stage.current == GOOD
    answers = stage.crowd.since(began)
    met = [answer for answer in answers if answer.version == FLAKY]
    assert met
    assert all(answer.version == FLAKY for answer in answers if answer.status != 200)
    assert stage.crowd.failures == []
    ended = time.monotonic() - began
    time.sleep(ROUTER_S)
    print(f"\n{len(met)} of {len(answers)} requests met it, {ended:.0f} s from promote to put back")  # noqa: T201
    assert {answer.version for answer in stage.crowd.since(time.monotonic() - 1)} == {GOOD}


def test_one_command_stops_it(stage: Stage) -> None:
    stage.publish(STOPPED, GOOD)
    template = stage.rollout()["spec"]["template"]
    with promotion(stage, STOPPED) as errors:
        stage.wait(lambda state: state.weight == 5, "the canary")
        assert stage.canary("pause", "--reason=a storm")["changed"]
        assert not stage.canary("pause", "--reason=a storm")["changed"]
        assert stage.canary("status")["state"] == "paused"
        cookie = stage.cookie(STOPPED)
        assert stage.versions(cookie) == {STOPPED}, "who has met the canary stays with it"
        began = time.monotonic()
        assert stage.canary("abort", "--reason=green faces")["entry"]["by"] == "bob"
    assert [type(error) for error in errors] == [CanaryStoppedError]
    assert not stage.canary("abort", "--reason=green faces")["changed"]
    met = [answer.at for answer in stage.crowd.since(0) if answer.version == STOPPED]
    assert met
    print(f"\nthe last answer of the canary came {max(met) - began:.1f} s after the command began")  # noqa: T201
    assert max(met) - began < SLOWEST_S
    assert stage.versions(cookie) == {GOOD}, "until it is over"
    assert stage.crowd.failures == []
    assert (stage.rollout()["spec"]["template"], stage.current) == (template, GOOD)
    kinds = [move.kind for move in history(stage.store, MODEL).moves if move.version == STOPPED]
    assert kinds == ["published", "canary paused", "canary aborted", "canary stopped"]
    assert [news.event for news in stage.news if news.version == STOPPED] == ["canary stopped"]


def test_one_that_is_slow_and_disliked_is_seen_beside_its_control_group(stage: Stage) -> None:
    """It fails nobody, so that the analysis, which looks at errors alone, would let it pass.

    How long it takes is in the router's histogram; thumbs down are counted by the service itself.
    """
    stage.publish(SLOW, GOOD)
    with promotion(stage, SLOW) as errors:
        stage.wait(lambda state: state.weight == 5, "the canary")
        assert stage.canary("pause", "--reason=a look at how long it takes")["changed"]
        assert process.wait_until(lambda: stage.control() == (1, 5), 30), "its control group"
        stage.scrape("sonic-canary", CONTROL)
        began, end = datetime.now(UTC), time.monotonic() + LOOK_S
        policies = {"slow": latency_policy(stage.prometheus), "disliked": feedback_policy(stage.prometheus)}
        said = {name: _looked_at(stage, policy, began, end) for name, policy in policies.items()}
        assert stage.canary("abort", "--reason=slow")["changed"]
    assert {name: (code, found["decision"]) for name, (code, found) in said.items()} == dict.fromkeys(said, (1, "bad"))
    (complaints,) = said["disliked"][1]["signals"]
    assert (complaints["name"], complaints["state"]) == ("feedback", "worse")
    assert complaints["canary"] > complaints["stable"]
    assert stage.control() == (0, 0)
    assert [type(error) for error in errors] == [CanaryStoppedError]
    assert stage.crowd.failures == []


def _looked_at(stage: Stage, policy: Object, since: datetime, end: float) -> tuple[int, Object]:
    """What ``penstock watch`` says in the end, and how long that took."""
    began = time.monotonic()
    while (found := stage.look(policy, since))[0] == 3 and time.monotonic() < end:
        time.sleep(1)
    print(f"\nafter {time.monotonic() - began:.0f} s: {found[1]}")  # noqa: T201
    return found


def test_without_evidence_it_is_never_promoted(stage: Stage) -> None:
    """Prometheus is gone: it pauses, waits for a person, and is put back when its time is over."""
    stage.publish(UNSEEN, GOOD)
    template = stage.rollout()["spec"]["template"]
    stage.hurry()
    process.stop(stage.settings, "prometheus")
    with promotion(stage, UNSEEN) as errors:
        stage.wait(lambda state: state.inconclusive, "the pause", timeout_s=120)
        assert stage.canary("status")["state"] == "inconclusive"
        assert stage.canary("resume", "--reason=one more look")["changed"]
        stage.wait(lambda state: state.analysis == "Running" and not state.pauses, "another analysis")
    assert [type(error) for error in errors] == [CanaryUndecidedError]
    assert "inconclusive, needs you" in str(errors[0])
    events = [news.event for news in stage.news if news.version == UNSEEN]
    assert (events[0], events[-1]) == ("needs you", "inconclusive"), "people are asked while there is time"
    assert (stage.rollout()["spec"]["template"], stage.current) == (template, GOOD)
    assert stage.crowd.failures == []


def test_a_rollback_is_no_canary(stage: Stage) -> None:
    serving = Delivery(stage.store, stage.folder / "targets.yaml", stage.folder / "secrets", by="ann")
    began = time.monotonic()
    roll_back(stage.store, MODEL, "1.0.0", reason="flicker", by="ann", serving=serving)
    ended = time.monotonic()
    assert stage.current == "1.0.0"
    time.sleep(ROUTER_S)
    answers = stage.crowd.since(began)
    first = min(answer.at for answer in answers if answer.version == "1.0.0") - began
    last = max(answer.at for answer in answers if answer.version != "1.0.0") - began
    print(f"\n{first:.1f} s to its first answer, {ended - began:.1f} s until told, {last:.1f} s to the last other one")  # noqa: T201
    assert first < SLOWEST_S
    assert {answer.version for answer in stage.crowd.since(time.monotonic() - 1)} == {"1.0.0"}
    assert stage.crowd.failures == []
