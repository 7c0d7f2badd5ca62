"""What probes alone say."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.watch.made_pairs import T0, made_pairs

from penstock.watch.decision import LiveDecision
from penstock.watch.probe_decision import decide_by_probes
from penstock.watch.probe_policy import ProbePolicy

POLICY = ProbePolicy(canary="http://canary", stable="http://stable", recorded="bundle")


def decided(count: int, *, later_s: float = 0.0, policy: ProbePolicy = POLICY, **how: Any) -> LiveDecision:
    pairs = made_pairs(count, **how)
    now = pairs[-1].time + 10 + later_s if pairs else T0
    return decide_by_probes(pairs, policy, start=T0, now=now, stretch_s=60.0, level=0.05, risk=0.02)


def test_good() -> None:
    found = decided(150)
    assert (found.answer, found.used, found.probes_needed) == ("good", ("probes",), 0)
    assert [(signal.name, signal.state, signal.of) for signal in found.signals] == [
        (name, "within", "probes") for name in ("errors", "latency", "answers")
    ]
    assert "of 150 pairs the canary alone failed 0, the stable side alone 0, both 0" in found.reason
    assert "the canary took 1 times as long in the median" in found.reason
    assert found.decided_at == T0 + 1500


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ({"fails": 0.4}, "the canary's last: the model answered 500"),
        ({"slower": 2.0}, "the canary took 2"),
        ({"wrong": 0.5}, "are not those of the release (anna: text is 0.5, over the limit of 0): worse"),
    ],
)
def test_bad_stays_bad(how: dict[str, float], said: str) -> None:
    found = decided(150, **how)
    assert found.answer == "bad"
    assert said in found.reason
    later = decide_by_probes(
        made_pairs(150, **how), POLICY, start=T0, now=T0 + 9000, stretch_s=60.0, level=0.05, risk=0.02
    )
    assert (later.answer, later.decided_at) == ("bad", found.decided_at)


def test_releases_by_their_version_are_compared_with_their_records() -> None:
    policy = ProbePolicy(canary="http://canary", stable="http://stable", model="sonic-lite")
    assert decided(150, policy=policy).answer == "good"
    found = decided(150, policy=policy, wrong=0.5)
    assert (found.answer, [signal.name for signal in found.signals if signal.state == "worse"]) == ("bad", ["answers"])


def test_not_yet_says_how_many_pairs_are_missing() -> None:
    found = decided(40)
    assert found.answer == "not yet"
    assert found.probes_needed is not None
    assert 70 < found.probes_needed < 110
    assert f"about {found.probes_needed:,} more pairs would show that it is within the margin" in found.reason


def test_nothing_yet() -> None:
    found = decided(0)
    assert found.answer == "not yet"
    assert found.probes_needed is not None
    assert "no probe was answered by both sides" in found.reason


def test_what_was_good_is_not_promoted_when_nobody_answers_any_more() -> None:
    assert decided(150, later_s=100).answer == "good"
    found = decided(150, later_s=400)
    assert (found.answer, found.reason) == ("not yet", "no probe was answered by both sides for 180 s")
    slow = POLICY.model_copy(update={"every_s": 300.0})
    assert decided(150, later_s=400, policy=slow).answer == "good", "one that probes seldom waits for longer"


def test_a_stable_side_that_is_gone_promotes_nobody() -> None:
    assert decided(300, stable_fails=1.0).answer == "not yet"


def test_without_a_record_answers_are_no_signal() -> None:
    found = decided(150, policy=POLICY.model_copy(update={"recorded": None}))
    assert [signal.name for signal in found.signals] == ["errors", "latency"]
