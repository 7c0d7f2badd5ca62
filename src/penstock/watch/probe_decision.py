"""From pairs of probes to one of three answers. Pure: the same pairs, the same answer."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

import numpy as np

from penstock.watch.decision import FRESH_STRETCHES, LiveDecision, SignalState, WatchedSignal
from penstock.watch.probe_pairs import ProbeCounts, ProbePair, count_pairs
from penstock.watch.probe_policy import ProbePolicy
from penstock.watch.probe_signals import ProbeSignalName, look_at_probes, probe_signals, probes_needed
from penstock.watch.sequential import Weighed

_OPEN: Final = "not settled"


def decide_by_probes(
    pairs: Sequence[ProbePair],
    policy: ProbePolicy,
    *,
    start: float,
    now: float,
    stretch_s: float,
    level: float,
    risk: float,
) -> LiveDecision:
    """The answer that probes alone give.

    It is bad if it was so after any stretch, and good only if it is so now, with a pair of late that both sides
    answered: where nobody answers any more, nothing is promoted.

    Args:
        pairs: all that are known, of other canaries too.
        policy: the margins.
        start: Unix seconds; where the warm-up ends.
        now: Unix seconds.
        stretch_s: the length of a stretch.
        level: as for :func:`penstock.watch.probe_signals.look_at_probes`.
        risk: likewise.
    """
    counts = count_pairs(pairs, start=start, end=now, stretch_s=stretch_s, ratio=policy.latency.ratio)
    mine = [pair for pair in pairs if start <= pair.time < start + counts.stretches * stretch_s]
    looks = look_at_probes(counts, policy, level=level, risk=risk)
    worse_from = math.log(len(looks.by_signal) / level)
    signals = tuple(
        _signal(name, mine, counts, looks.by_signal[name], policy, worse_from, risk) for name in probe_signals(policy)
    )
    known = [signal.probes_needed for signal in signals]
    needed = None if any(value is None for value in known) else max(value or 0 for value in known)
    if looks.bad.any():
        at = start + (int(np.argmax(looks.bad)) + 1) * stretch_s
        reason = "; ".join(signal.reason for signal in signals if signal.state == "worse")
        return LiveDecision("bad", reason, signals, None, at, ("probes",), needed)
    stale = _stale(mine, policy, now, stretch_s)
    if stale:
        return LiveDecision("not yet", stale, signals, None, None, ("probes",), needed)
    if looks.good[-1]:
        reason = "; ".join(signal.reason for signal in signals)
        return LiveDecision("good", reason, signals, None, start + counts.stretches * stretch_s, ("probes",), 0)
    unsettled = "; ".join(signal.reason for signal in signals if signal.state != "within")
    return LiveDecision("not yet", unsettled, signals, None, None, ("probes",), needed)


def _signal(
    name: ProbeSignalName,
    pairs: Sequence[ProbePair],
    counts: ProbeCounts,
    weighed: Weighed,
    policy: ProbePolicy,
    worse_from: float,
    risk: float,
) -> WatchedSignal:
    if not counts.stretches:
        needed = probes_needed(name, counts, weighed, policy, risk=risk)
        return WatchedSignal(
            name, "open", f"{name} of probes: none yet", None, None, 1.0, 1.0, 1.0, None, "probes", needed
        )
    worse = bool(np.any(weighed.enough & (weighed.log_worse >= worse_from)))
    within = bool(weighed.enough[-1] and weighed.log_within[-1] >= -math.log(risk))
    state: SignalState = "worse" if worse else "within" if within else "open"
    needed = 0 if within else probes_needed(name, counts, weighed, policy, risk=risk)
    canary, stable, words = _words(name, pairs, counts)
    return WatchedSignal(
        name,
        state,
        f"{words}: {_state_in_words(state, needed)}",
        canary,
        stable,
        _e_value(weighed.log_worse[-1]),
        _e_value(weighed.log_within[-1]),
        float(weighed.dispersion[-1]),
        None,
        "probes",
        needed,
    )


def _state_in_words(state: SignalState, needed: int | None) -> str:
    if state == "worse":
        return "worse"
    if state == "within":
        return "within the margin"
    if needed is None:
        return f"{_OPEN}; there is no telling yet how many pairs it needs"
    return f"{_OPEN}; about {needed:,} more pairs would show that it is within the margin, if it is as good"


def _words(
    name: ProbeSignalName, pairs: Sequence[ProbePair], counts: ProbeCounts
) -> tuple[float | None, float | None, str]:
    """Shares of the canary and of the stable side, and what they are."""
    if name == "errors":
        answered = int(counts.pairs.sum())
        alone = [int(counts.canary_failed.sum()), int(counts.stable_failed.sum())]
        both = sum(pair.canary.failed and pair.stable.failed for pair in pairs)
        shares = [one / answered if answered else None for one in alone]
        said = f"errors of probes: of {len(pairs):,} pairs the canary alone failed {alone[0]:,}, the stable side alone"
        last = next(
            (pair.canary.error for pair in reversed(pairs) if pair.canary.failed and not pair.stable.failed), ""
        )
        quoted = f" (the canary's last: {last})" if last else ""
        return shares[0], shares[1], f"{said} {alone[1]:,}, both {both:,}{quoted}"
    if name == "latency":
        timed = int(counts.timed.sum())
        ratios = [
            pair.canary.latency_ms / pair.stable.latency_ms
            for pair in pairs
            if pair.canary.latency_ms and pair.stable.latency_ms
        ]
        if not timed or not ratios:
            return None, None, "latency of probes: no pair that both sides answered"
        said = f"latency of probes: the canary took {float(np.median(ratios)):.3g} times as long in the median"
        return float(counts.slow.sum()) / timed, None, f"{said} of {timed:,} pairs"
    checked, wrong = int(counts.checked.sum()), int(counts.wrong.sum())
    last = next((f" ({pair.case}: {pair.differs})" for pair in reversed(pairs) if pair.differs), "")
    said = f"answers of probes: {wrong:,} of {checked:,} are not those of the release{last}"
    return (wrong / checked if checked else None), None, said


def _stale(pairs: Sequence[ProbePair], policy: ProbePolicy, now: float, stretch_s: float) -> str:
    """Why nothing can be promoted on these pairs; empty if they are fresh."""
    seconds = FRESH_STRETCHES * max(stretch_s, policy.every_s)
    answered = (pair.time for pair in pairs if not pair.canary.failed and not pair.stable.failed)
    if max(answered, default=-math.inf) < now - seconds - stretch_s:
        return f"no probe was answered by both sides for {seconds:g} s"
    return ""


def _e_value(log: float) -> float:
    return float(math.exp(min(max(float(log), -690.0), 690.0)))
