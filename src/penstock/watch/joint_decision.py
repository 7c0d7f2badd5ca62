"""Users' requests and probes together: which of them decides, and how the error rates are shared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from penstock.watch.decision import LiveDecision, decide
from penstock.watch.evidence import EvidenceError, LiveEvidence
from penstock.watch.probe_decision import decide_by_probes
from penstock.watch.probe_pairs import ProbePair
from penstock.watch.probe_policy import ProbePolicy
from penstock.watch.probe_signals import probe_signals
from penstock.watch.watch_policy import WatchPolicy


@dataclass(frozen=True)
class UsersEvidence:
    """What is known of users' requests."""

    asked: bool
    """Whether the watch has a source of them at all."""
    evidence: LiveEvidence | None = None
    trouble: str = ""
    """Why there is none: it cannot be read."""
    silent: str = ""
    """Why there is none: nobody has met the canary yet."""


@dataclass(frozen=True)
class _Shares:
    """Level and risk of both kinds of evidence: together they are the policy's."""

    users: WatchPolicy
    level: float
    """Of the probes."""
    risk: float


def decide_jointly(
    users: UsersEvidence,
    pairs: Sequence[ProbePair],
    policy: WatchPolicy,
    probes: ProbePolicy,
    *,
    start: float,
    now: float,
    left_s: float,
) -> LiveDecision:
    """The answer at the end of the evidence.

    Bad: any signal of either kind, each at its part of the level. Good: all signals of users' requests are within their
    margins; or all of the probes are, and users' requests cannot settle it before the timeout and do not lean to worse.
    Requests that cannot be read are not the same as few requests: then nothing is promoted.

    Args:
        users: what users' requests say.
        pairs: the probes.
        policy: the watch's.
        probes: its part on probes.
        start: Unix seconds; where the warm-up ends.
        now: Unix seconds.
        left_s: seconds until the timeout.
    """
    shares = _shares(policy, probes, both=users.asked)
    probed = decide_by_probes(
        pairs, probes, start=start, now=now, stretch_s=policy.stretch_s, level=shares.level, risk=shares.risk
    )
    if not users.asked:
        return probed
    told, trouble = _by_users(users, shares.users)
    signals = (*(told.signals if told else ()), *probed.signals)
    needed = told.requests_needed if told else None
    both = replace(probed, signals=signals, requests_needed=needed, used=("users", "probes"))
    bad = [one for one in (told, probed) if one is not None and one.answer == "bad"]
    if bad:
        at = min(one.decided_at for one in bad if one.decided_at is not None)
        used = tuple(kind for one in bad for kind in one.used)
        return replace(both, answer="bad", reason="; ".join(one.reason for one in bad), decided_at=at, used=used)
    if told is not None and told.answer == "good":
        return replace(told, signals=signals, probes_needed=probed.probes_needed)
    if probed.answer != "good":
        said = told.reason if told else trouble or users.silent or "no requests of the canary yet"
        reason = f"users: {said}; probes: {probed.reason}"
        return replace(both, reason=reason)
    if why_not := trouble or _decides(told, users.evidence, left_s, policy.stretch_s):
        return replace(both, answer="not yet", reason=f"probes are within every margin, but {why_not}", decided_at=None)
    had = users.evidence.canary_requests if users.evidence is not None else 0
    reason = f"by probes, for users made {had:,} requests of the canary: {probed.reason}"
    return replace(both, reason=reason, used=("probes",))


def _shares(policy: WatchPolicy, probes: ProbePolicy, *, both: bool) -> _Shares:
    """Each signal has the same part of the level; where either kind may promote, each has half of the risk."""
    if not both:
        return _Shares(policy, policy.level, policy.risk)
    ours, theirs = len(policy.signals.names), len(probe_signals(probes))
    level, risk = policy.level / (ours + theirs), policy.risk / 2
    return _Shares(policy.model_copy(update={"level": level * ours, "risk": risk}), level * theirs, risk)


def _by_users(users: UsersEvidence, policy: WatchPolicy) -> tuple[LiveDecision | None, str]:
    """What they say; or ``None`` and why that is not for want of requests."""
    if users.evidence is None or users.evidence.canary_requests == 0:
        return None, users.trouble
    try:
        return decide(users.evidence, policy), ""
    except EvidenceError as error:
        return None, str(error)


def _decides(told: LiveDecision | None, evidence: LiveEvidence | None, left_s: float, stretch_s: float) -> str:
    """Why users' requests have to decide; empty where there are too few of them, and they do not lean to worse."""
    if told is None or evidence is None:
        return ""
    leaning = [signal.name for signal in told.signals if signal.evidence_worse > 1]
    if leaning:
        return f"users' requests lean to worse ({', '.join(leaning)})"
    coming = evidence.canary_requests / (evidence.stretches * stretch_s) * left_s
    if told.requests_needed is not None and coming >= told.requests_needed:
        return f"users' requests will decide: {told.reason}"
    return ""
