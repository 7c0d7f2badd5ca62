"""The three answers; and the error rates of the whole decision, of a few hundred canaries (``make error-rates-watch``
has 10,000).
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tests.error_rates.made_canaries import BOUNDS_MS, POLICY, Scenario, make_evidence

from penstock.watch.decision import LiveDecision, decide, look_after_each
from penstock.watch.evidence import EvidenceError, LatencyCounts, LiveEvidence
from penstock.watch.sequential import EventCounts
from penstock.watch.watch_policy import CountMargin, LatencyMargin, WatchedSignals, WatchPolicy

ERRORS = WatchPolicy(signals=WatchedSignals(errors=CountMargin()))
LATENCY = WatchPolicy(signals=WatchedSignals(latency=LatencyMargin()))


def evidence(*, canary: float = 1.0, stable: float = 19.0, minutes: int = 60, requests: float = 100.0) -> LiveEvidence:
    """Every minute the same."""
    size = np.ones(minutes)
    return LiveEvidence(0.0, 60.0, EventCounts(requests * size, canary * size, 19 * requests * size, stable * size))


def rates(scenario: Scenario, policy: WatchPolicy, canaries: int) -> tuple[float, float]:
    """Shares stopped and promoted, looked at after each minute."""
    looks = look_after_each(make_evidence(scenario, canaries, np.random.default_rng(7)), policy)
    bad, good = (np.where(found.any(axis=1), found.argmax(axis=1), 999) for found in (looks.bad, looks.good))
    return float(np.mean((bad <= good) & (bad < 999))), float(np.mean(good < bad))


def test_unchanged_canaries() -> None:
    stopped, promoted = rates(Scenario("unchanged", "same"), ERRORS, 400)
    assert stopped <= 0.05
    assert promoted >= 0.9


def test_doubled_errors() -> None:
    stopped, promoted = rates(Scenario("doubled", "bad", worse_errors=2.0), ERRORS, 400)
    assert stopped >= 0.95
    assert promoted <= 0.03


@pytest.mark.parametrize(("slower", "tail"), [(1.5, 1.0), (1.0, 1.5)])
def test_slower(slower: float, tail: float) -> None:
    scenario = Scenario("slow", "bad", slower=slower, slower_tail=tail, minutes=20, requests=1300)
    assert rates(scenario, LATENCY, 60)[0] >= 0.95


def test_retries_without_users() -> None:
    assert rates(Scenario("retries", "same", burst=4), ERRORS, 400)[0] <= 0.05


def test_brownouts() -> None:
    assert rates(Scenario("brownouts", "same", brownouts=1 / 60), ERRORS, 400)[0] <= 0.05


def test_all_signals_share_the_level() -> None:
    stopped, _ = rates(Scenario("unchanged", "same"), POLICY, 60)
    assert stopped <= 0.05


def test_good() -> None:
    found = decide(evidence(), ERRORS)
    assert (found.answer, found.requests_needed, found.decided_at) == ("good", 0, 3600.0)
    assert found.signals[0].reason == "errors: 1 % on the canary, 1 % on the stable side: within the margin"


def test_bad_stays_bad() -> None:
    """Who starts a watch anew finds what it had found, though the errors have ended since."""
    begun = evidence(canary=10.0, minutes=10)
    later = evidence(minutes=300)
    both = LiveEvidence(
        0.0,
        60.0,
        EventCounts(
            *(
                np.concatenate([getattr(begun.errors, name), getattr(later.errors, name)])
                for name in ("canary_requests", "canary_events", "stable_requests", "stable_events")
            )
        ),
    )
    assert decide(begun, ERRORS).answer == "bad"
    found = decide(both, ERRORS)
    assert found.answer == "bad"
    assert found.decided_at is not None
    assert found.decided_at <= 600
    assert "worse" in found.reason


def test_not_yet_says_how_many_it_needs() -> None:
    half = decide(evidence(minutes=12), ERRORS)
    assert half.answer == "not yet"
    assert half.requests_needed is not None
    assert 100 < half.requests_needed < 1500
    assert f"about {half.requests_needed:,} more canary requests" in half.reason
    more = evidence(minutes=12 + 1 + half.requests_needed // 100)
    assert decide(more, ERRORS).answer == "good"


def test_nothing_ever_fails() -> None:
    strict = WatchPolicy(signals=WatchedSignals(errors=CountMargin(harmless=0.0)))
    found = decide(evidence(canary=0.0, stable=0.0), strict)
    assert (found.answer, found.requests_needed) == ("not yet", None)
    found = decide(evidence(canary=0.0, stable=0.0, minutes=70), ERRORS)
    assert found.answer == "good"


@pytest.mark.parametrize("side", ["canary", "stable"])
def test_a_side_that_is_gone_is_never_promoted(side: str) -> None:
    good = evidence()
    names = [f"{side}_requests", f"{side}_events"]
    gone = {name: np.append(getattr(good.errors, name)[:-3], np.zeros(3)) for name in names}
    found = decide(replace(good, errors=replace(good.errors, **gone)), ERRORS)
    assert found.answer == "not yet"
    assert "no requests that are known of for 180 s" in found.reason


def test_a_canary_without_requests() -> None:
    found = decide(evidence(canary=0.0, requests=0.0, stable=0.0), ERRORS)
    assert found.answer == "not yet"


def test_no_stretch_is_over() -> None:
    with pytest.raises(EvidenceError, match="not over yet"):
        decide(evidence(minutes=0), ERRORS)


@pytest.mark.parametrize("name", ["latency", "feedback"])
def test_evidence_that_is_not_there(name: str) -> None:
    signals = {"latency": LatencyMargin(), "feedback": CountMargin()}
    policy = WatchPolicy(signals=WatchedSignals(errors=CountMargin(), **{name: signals[name]}))  # type: ignore[arg-type]
    with pytest.raises(EvidenceError, match=f"no evidence on {name}"):
        decide(evidence(), policy)


def _with_latency(bounds: np.ndarray, low: int) -> LiveDecision:
    cells = np.zeros((60, len(bounds) + 1))
    cells[:, low] = 100.0
    cells[:, low + 1] = 4.0
    return decide(replace(evidence(), latency=LatencyCounts(bounds, cells, 19 * cells)), LATENCY)


def test_buckets_that_cannot_show_it() -> None:
    found = _with_latency(np.array([100.0, 300.0, 1200.0, 5000.0]), 2)
    assert found.answer == "not yet"
    assert "cannot show a P95 that is 1.5 times as long" in found.reason
    assert "between 300 and 1200 ms" in found.reason
    assert "each at most 1.25 times the one before" in found.reason


def test_buckets_that_can() -> None:
    found = _with_latency(BOUNDS_MS, 5)
    assert found.answer == "good"
    assert "P95 of the stable side" in found.reason


def test_bursts_are_told() -> None:
    errors = np.ones(60)
    errors[10] = 60.0
    base = evidence()
    found = decide(replace(base, errors=replace(base.errors, canary_events=errors)), ERRORS)
    assert found.answer == "not yet"
    assert "they come in bursts" in found.reason
    assert found.signals[0].dispersion > 5
