"""From evidence to one of three answers: good, bad, not yet. Pure: the same evidence, the same answer."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from penstock.watch.evidence import EvidenceError, LatencyCounts, LiveEvidence
from penstock.watch.latency import (
    SLOW_SHARE,
    LatencyThresholds,
    choose_thresholds,
    margin_of,
    slow_answers,
    weigh_latency,
)
from penstock.watch.sequential import EventCounts, Weighed, growth_within, weigh
from penstock.watch.watch_policy import CountMargin, SignalName, WatchPolicy

Answer = Literal["good", "bad", "not yet"]
SignalState = Literal["within", "worse", "open"]
EvidenceKind = Literal["users", "probes"]
FRESH_STRETCHES: Final = 3
"""Nothing is promoted unless both sides had requests in one of so many last stretches."""


@dataclass(frozen=True)
class WatchedSignal:
    """What one signal says at the end of the evidence."""

    name: SignalName | Literal["answers"]
    state: SignalState
    """``within`` the margin, ``worse`` than the stable side, or ``open``: neither is known."""
    reason: str
    canary: float | None
    """Events of a request on the canary; ``None`` without requests."""
    stable: float | None
    evidence_worse: float
    """The e-value, at most 1e300; the canary is bad from ``needed_worse`` on."""
    evidence_within: float
    dispersion: float
    """1 for single events; n where they come in bursts of n."""
    requests_needed: int | None
    """About so many more canary requests until it is ``within``, if it is as good; 0 if it is; ``None``: not known."""
    of: EvidenceKind = "users"
    """Whose requests it is a signal of."""
    probes_needed: int | None = None
    """Of a signal of probes, in place of ``requests_needed``: pairs."""


@dataclass(frozen=True)
class LiveDecision:
    """The answer, and why."""

    answer: Answer
    reason: str
    signals: tuple[WatchedSignal, ...]
    requests_needed: int | None
    """As for a signal: the most of them."""
    decided_at: float | None
    """Unix seconds: the end of the stretch after which it was bad, or good."""
    used: tuple[EvidenceKind, ...] = ("users",)
    """The evidence that the answer rests on; of "not yet" all that there is."""
    probes_needed: int | None = None
    """About so many more pairs of probes; ``None``: not known, or there are none."""


@dataclass(frozen=True)
class Looks:
    """After each stretch: arrays of shape (…, T)."""

    bad: NDArray[np.bool_]
    good: NDArray[np.bool_]
    by_signal: dict[SignalName, Weighed]
    thresholds: LatencyThresholds | None


def look_after_each(evidence: LiveEvidence, policy: WatchPolicy) -> Looks:
    """Whether it is bad, or good, after each stretch.

    Bad: one signal's e-value has reached the number of signals over the policy's level. Good: all signals exclude their
    margins at the policy's risk; no correction is needed there, since each of them has to.

    Raises:
        EvidenceError: a signal that is watched has no evidence at all.
    """
    names = policy.signals.names
    worse_from = math.log(len(names) / policy.level)
    within_from = -math.log(policy.risk)
    shape = evidence.errors.canary_requests.shape
    bad, good = np.zeros(shape, dtype=bool), np.ones(shape, dtype=bool)
    found: dict[SignalName, Weighed] = {}
    thresholds = None
    for name in names:
        if name == "latency":
            latency = _latency_of(evidence)
            thresholds = choose_thresholds(latency, ratio=_latency_ratio(policy))
            weighed = weigh_latency(latency, thresholds)
        else:
            margin = _margin(policy, name)
            counts, by_user = _counts_of(evidence, name), evidence.canary_users is not None
            weighed = weigh(counts, ratio=margin.ratio, harmless=margin.harmless, by_user=by_user)
        found[name] = weighed
        bad |= weighed.enough & (weighed.log_worse >= worse_from)
        good &= weighed.enough & (weighed.log_within >= within_from)
    return Looks(bad, good & ~bad, found, thresholds)


def decide(evidence: LiveEvidence, policy: WatchPolicy) -> LiveDecision:
    """The answer at the end of the evidence.

    It is bad if it was so after any stretch: who restarts a watch finds what it had found. It is good only if it is so
    now, on fresh evidence from both sides.

    Raises:
        EvidenceError: there is nothing to decide by, in words.
    """
    if evidence.stretches == 0:
        raise EvidenceError("the warm-up and the first stretch are not over yet")
    looks = look_after_each(evidence, policy)
    signals = tuple(_signal(name, evidence, policy, looks) for name in policy.signals.names)
    known = [signal.requests_needed for signal in signals]
    needed = None if any(value is None for value in known) else max(value or 0 for value in known)
    if looks.bad.any():
        at = int(np.argmax(looks.bad))
        blamed = [s.name for s in signals if s.state == "worse"] or [s.name for s in signals if s.evidence_worse > 1]
        reasons = "; ".join(s.reason for s in signals if s.name in blamed)
        return LiveDecision("bad", reasons, signals, needed, _end(evidence, at))
    stale = _stale(evidence)
    if stale:
        return LiveDecision("not yet", stale, signals, needed, None)
    if looks.good[-1]:
        reason = "every signal is within its margin: " + "; ".join(signal.reason for signal in signals)
        return LiveDecision("good", reason, signals, 0, _end(evidence, evidence.stretches - 1))
    unsettled = "; ".join(signal.reason for signal in signals if signal.state != "within")
    return LiveDecision("not yet", unsettled, signals, needed, None)


def _signal(name: SignalName, evidence: LiveEvidence, policy: WatchPolicy, looks: Looks) -> WatchedSignal:
    weighed = looks.by_signal[name]
    harmless, ratio, words = 0.0, 1.0, _WORDS[name]
    if name == "latency":
        assert looks.thresholds is not None  # noqa: S101 (for the type checker: latency is watched)
        latency = _latency_of(evidence)
        problem, bound = _bound(looks.thresholds, policy)
        if problem:
            return WatchedSignal(name, "open", problem, None, None, 1.0, 1.0, 1.0, None)
        counts, ratio, harmless = slow_answers(latency, bound), margin_of(int(looks.thresholds.steps[-1])), SLOW_SHARE
        p95 = looks.thresholds.p95_ms[-1]
        words = f"answers over {latency.bounds_ms[bound]:.4g} ms (P95 of the stable side: {p95:.4g} ms)"
    else:
        margin = _margin(policy, name)
        counts, ratio, harmless = _counts_of(evidence, name), margin.ratio, margin.harmless
    worse_from = math.log(len(policy.signals.names) / policy.level)
    ever_worse = bool(np.any(weighed.enough & (weighed.log_worse >= worse_from)))
    within = bool(weighed.enough[-1] and weighed.log_within[-1] >= -math.log(policy.risk))
    state: SignalState = "worse" if ever_worse else "within" if within else "open"
    canary, stable = (_rate(events, requests) for events, requests in _sides(counts))
    needed = 0 if within else _needed(counts, weighed, policy, ratio, harmless)
    return WatchedSignal(
        name,
        state,
        _reason(state, words, canary, stable, weighed, needed),
        canary,
        stable,
        _e_value(weighed.log_worse[-1]),
        _e_value(weighed.log_within[-1]),
        float(weighed.dispersion[-1]),
        needed,
    )


_WORDS: Final[dict[SignalName, str]] = {"errors": "errors", "latency": "", "feedback": "complaints"}


def _reason(
    state: SignalState, words: str, canary: float | None, stable: float | None, weighed: Weighed, needed: int | None
) -> str:
    rates = f"{words}: {_per_cent(canary)} on the canary, {_per_cent(stable)} on the stable side"
    dispersion = float(weighed.dispersion[-1])
    bursts = f"; they come in bursts, so that one counts as {1 / dispersion:.2g}" if dispersion >= 1.5 else ""
    if state == "worse":
        return f"{rates}: worse{bursts}"
    if state == "within":
        return f"{rates}: within the margin{bursts}"
    if needed is None:
        more = "there is no telling yet how many requests it needs"
    else:
        more = f"about {needed:,} more canary requests would show that it is within the margin, if it is as good"
    return f"{rates}: not settled{bursts}; {more}"


def _needed(counts: EventCounts, weighed: Weighed, policy: WatchPolicy, ratio: float, harmless: float) -> int | None:
    """About how many more canary requests, if it is as good as the stable side."""
    (_, canary_requests), (stable_events, stable_requests) = _sides(counts)
    if not canary_requests or not stable_requests:
        return None
    share = canary_requests / (canary_requests + stable_requests)
    rate = stable_events / stable_requests
    growth = growth_within(rate=rate, share=share, ratio=ratio, harmless=harmless) / float(weighed.dispersion[-1])
    missing = -math.log(policy.risk) - max(float(weighed.log_within[-1]), -1e6)
    if growth <= 0:
        return None
    return max(1, math.ceil(missing / growth))


def _bound(thresholds: LatencyThresholds, policy: WatchPolicy) -> tuple[str, int]:
    """Which bound is looked at, or what is wrong with the buckets."""
    if not thresholds.coarse[-1] and thresholds.bound[-1] >= 0:
        return "", int(thresholds.bound[-1])
    if math.isnan(thresholds.p95_ms[-1]):
        return "latency: the stable side has too few answers yet to know its P95", -1
    low, high, ratio = float(thresholds.low_ms[-1]), float(thresholds.high_ms[-1]), _latency_ratio(policy)
    return (
        f"latency: the histogram's buckets cannot show a P95 that is {ratio:g} times as long: that of the stable side "
        f"lies between {low:g} and {high:g} ms. Set bounds around it, each at most {min(1.25, ratio):g} times the one "
        "before",
        -1,
    )


def _stale(evidence: LiveEvidence) -> str:
    """Why nothing can be promoted on this evidence however good it is; empty if it is fresh."""
    for side, requests in (
        ("canary", evidence.errors.canary_requests),
        ("stable side", evidence.errors.stable_requests),
    ):
        if not np.any(requests[-FRESH_STRETCHES:] > 0):
            seconds = min(FRESH_STRETCHES, evidence.stretches) * evidence.stretch_s
            return f"the {side} has had no requests that are known of for {seconds:g} s"
    return ""


def _counts_of(evidence: LiveEvidence, name: SignalName) -> EventCounts:
    found = evidence.errors if name == "errors" else evidence.feedback
    if found is None:
        raise EvidenceError(f"there is no evidence on {name}, which the policy watches")
    return found


def _latency_of(evidence: LiveEvidence) -> LatencyCounts:
    if evidence.latency is None:
        raise EvidenceError("there is no evidence on latency, which the policy watches")
    return evidence.latency


def _margin(policy: WatchPolicy, name: SignalName) -> CountMargin:
    margin = policy.signals.errors if name == "errors" else policy.signals.feedback
    return margin or CountMargin()


def _latency_ratio(policy: WatchPolicy) -> float:
    return policy.signals.latency.ratio if policy.signals.latency is not None else 1.5


def _sides(counts: EventCounts) -> tuple[tuple[float, float], tuple[float, float]]:
    """Events and requests: of the canary, of the stable side."""
    return (
        (float(np.sum(counts.canary_events)), float(np.sum(counts.canary_requests))),
        (float(np.sum(counts.stable_events)), float(np.sum(counts.stable_requests))),
    )


def _rate(events: float, requests: float) -> float | None:
    return events / requests if requests else None


def _per_cent(rate: float | None) -> str:
    return "none known" if rate is None else f"{100 * rate:.3g} %"


def _e_value(log: float) -> float:
    return float(math.exp(min(max(float(log), -690.0), 690.0)))


def _end(evidence: LiveEvidence, look: int) -> float:
    return evidence.start + (look + 1) * evidence.stretch_s
