"""Users' requests and probes together: any signal stops, and who promotes."""

from __future__ import annotations

from typing import Any

import numpy as np
from tests.unit.watch.made_pairs import T0, made_pairs

from penstock.watch.decision import LiveDecision
from penstock.watch.evidence import LiveEvidence
from penstock.watch.joint_decision import UsersEvidence, decide_jointly
from penstock.watch.probe_policy import ProbePolicy
from penstock.watch.sequential import EventCounts
from penstock.watch.watch_policy import CountMargin, WatchedSignals, WatchPolicy

PROBES = ProbePolicy(canary="http://canary", stable="http://stable")
POLICY = WatchPolicy(signals=WatchedSignals(errors=CountMargin()), probes=PROBES)
MINUTES = 40


def users(requests: float, fails: float = 0.01) -> UsersEvidence:
    """So many requests of the canary a minute, nineteen times as many of the stable side, of which 1 % fail."""
    ours = np.full(MINUTES, requests)
    errors = EventCounts(ours, ours * fails, 19 * ours, 19 * ours * 0.01)
    return UsersEvidence(True, LiveEvidence(T0, 60.0, errors, canary_requests=int(requests * MINUTES)))


def decided(given: UsersEvidence, *, left_s: float = 4800.0, **how: Any) -> LiveDecision:
    pairs = made_pairs(MINUTES * 6, **how)
    return decide_jointly(given, pairs, POLICY, PROBES, start=T0, now=T0 + 60 * MINUTES, left_s=left_s)


def test_probes_carry_it_where_nobody_comes() -> None:
    for nobody in (users(0.0), UsersEvidence(True, silent="no series matches it"), users(0.1)):
        found = decided(nobody)
        assert (found.answer, found.used) == ("good", ("probes",))
        assert found.reason.startswith("by probes, for users made ")
    assert decided(UsersEvidence(False)).answer == "good"


def test_any_signal_stops() -> None:
    assert (decided(users(0.1), fails=0.5).answer, decided(users(0.1), fails=0.5).used) == ("bad", ("probes",))
    found = decided(users(100.0, fails=0.05))
    assert (found.answer, found.used) == ("bad", ("users",))
    both = decided(users(100.0, fails=0.05), fails=0.5)
    assert (both.answer, both.used) == ("bad", ("users", "probes"))
    assert both.decided_at is not None
    assert "of probes" in both.reason


def test_users_decide_where_there_are_enough_of_them() -> None:
    found = decided(users(100.0))
    assert (found.answer, found.used) == ("good", ("users",))
    assert [signal.of for signal in found.signals] == ["users", "probes", "probes"]
    waiting = decided(users(35.0))
    assert (waiting.answer, waiting.used) == ("not yet", ("users", "probes"))
    assert waiting.reason.startswith("probes are within every margin, but users' requests will decide")
    assert decided(users(35.0), left_s=60.0).used == ("probes",), "there is no time left for them"


def test_users_who_lean_to_worse_keep_probes_from_promoting() -> None:
    found = decided(users(2.0, fails=0.04))
    assert found.answer == "not yet"
    assert "users' requests lean to worse (errors)" in found.reason


def test_what_cannot_be_read_is_not_the_same_as_nobody() -> None:
    found = decided(UsersEvidence(True, trouble="Prometheus is gone"))
    assert found.answer == "not yet"
    assert found.reason == "probes are within every margin, but Prometheus is gone"
    assert decided(UsersEvidence(True, trouble="Prometheus is gone"), fails=0.5).answer == "bad"


def test_level_and_risk_are_shared() -> None:
    """Alone, 20 minutes of probes are enough; where users may promote as well, the risk of each is half."""
    pairs = made_pairs(126)
    alone, beside = (
        decide_jointly(given, pairs, POLICY, PROBES, start=T0, now=T0 + 1261, left_s=4800.0)
        for given in (UsersEvidence(False), UsersEvidence(True, silent="nobody"))
    )
    assert (alone.answer, beside.answer) == ("good", "not yet")
    assert beside.probes_needed is not None
    assert 10 < beside.probes_needed < 20
    assert beside.reason.startswith("users: nobody; probes: ")
    empty = decide_jointly(users(0.0), pairs, POLICY, PROBES, start=T0, now=T0 + 1261, left_s=4800.0)
    assert empty.reason.startswith("users: no requests of the canary yet; probes: ")
