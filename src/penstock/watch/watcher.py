"""Looking at the evidence, once or until it is decided: whatever happens to the evidence, there is an end."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from typing import Any, Final, Literal, Protocol

from penstock.foundation.errors import PenstockError
from penstock.watch.decision import LiveDecision, decide
from penstock.watch.evidence import EvidenceError, LiveEvidence, NoTrafficError
from penstock.watch.joint_decision import UsersEvidence, decide_jointly
from penstock.watch.probe_policy import ProbePolicy
from penstock.watch.prober import ProbesSoFar
from penstock.watch.watch_policy import WatchPolicy

Phase = Literal["Successful", "Failed", "Inconclusive", "Running"]
"""As an analysis of Argo Rollouts ends: promoted, rolled back, paused; or goes on."""
_PHASES: Final[dict[str, Phase]] = {"good": "Successful", "bad": "Failed", "not yet": "Running"}


class EvidenceSource(Protocol):
    """Where evidence comes from."""

    def read(self, *, start: float, now: float, stretch_s: float) -> LiveEvidence:
        """The evidence from ``start`` until ``now``, Unix seconds."""
        ...


class ProbeSource(Protocol):
    """Where pairs of probes come from: :class:`penstock.watch.prober.Prober`, or a file of them."""

    def read(self, since: float) -> ProbesSoFar:
        """The pairs since ``since``, Unix seconds."""
        ...

    def look(self, start: float, *, until: float, settled: bool) -> None:
        """Hear that somebody has looked at a canary, see :meth:`penstock.watch.prober.Prober.look`."""
        ...


@dataclass(frozen=True)
class WatchVerdict:
    """What a look found."""

    phase: Phase
    decision: Literal["good", "bad", "not yet", "inconclusive"]
    reason: str
    since: float
    """Unix seconds: when the canary was started."""
    until: float
    """Unix seconds: when it was looked."""
    canary_requests: int | None
    canary_users: int | None
    found: LiveDecision | None
    """``None``: there was no evidence to decide by."""
    notes: tuple[str, ...]
    probes: int | None = None
    """Pairs that were put to it, the warm-up left out; ``None``: the watch puts none."""

    @property
    def probes_needed(self) -> int | None:
        """About so many more pairs of probes until it is known to be good, if it is; ``None``: not known."""
        return self.found.probes_needed if self.found is not None else None

    @property
    def requests_needed(self) -> int | None:
        """About so many more canary requests until it is known to be good, if it is; ``None``: not known."""
        return self.found.requests_needed if self.found is not None else None

    def as_json(self) -> dict[str, Any]:
        """As the verdict endpoint and ``--json`` give it."""
        return {
            "version": 1,
            "phase": self.phase,
            "decision": self.decision,
            "reason": self.reason,
            "requests_needed": self.requests_needed,
            "used": list(self.found.used) if self.found is not None else [],
            "probes": self.probes,
            "probes_needed": self.probes_needed,
            "canary_requests": self.canary_requests,
            "canary_users": self.canary_users,
            "since": self.since,
            "until": self.until,
            "decided_at": self.found.decided_at if self.found is not None else None,
            "signals": [asdict(signal) for signal in self.found.signals] if self.found is not None else [],
            "notes": list(self.notes),
        }


@dataclass(frozen=True)
class CanaryWatch:
    """One canary, watched since its start. It keeps nothing: who restarts it finds the same.

    Args:
        policy: how it is judged.
        source: users' requests; ``None``: only probes are looked at.
        since: Unix seconds; when the canary was started.
        probes: the pairs, if the policy has ``probes``.
    """

    policy: WatchPolicy
    source: EvidenceSource | None
    since: float
    probes: ProbeSource | None = None

    @property
    def ends_at(self) -> float:
        """Unix seconds: the policy's timeout."""
        return self.since + self.policy.timeout_s

    def look(self, now: float) -> WatchVerdict:
        """What the evidence says now.

        Evidence that is missing or cannot be read is "not yet", and inconclusive after the timeout; never good.
        """
        until = min(now, self.ends_at)
        if self.policy.probes is not None and self.probes is not None:
            verdict = self._look_at_both(self.policy.probes, self.probes, now, until)
            start = self.since + self.policy.warm_up_s
            self.probes.look(start, until=self.ends_at, settled=verdict.phase != "Running")
            return verdict
        if self.source is None:
            return self._verdict(
                now, "there is no evidence: neither users' requests nor probes are looked at", None, None
            )
        try:
            evidence = self._read(self.source, until)
            found = decide(evidence, self.policy)
        except (EvidenceError, PenstockError) as error:
            return self._verdict(now, str(error), None, None)
        return self._verdict(now, found.reason, evidence, found)

    def _look_at_both(self, policy: ProbePolicy, source: ProbeSource, now: float, until: float) -> WatchVerdict:
        """What users' requests, if there is a source of them, and probes say."""
        users, start = self._users(until), self.since + self.policy.warm_up_s
        probed = source.read(start)
        left_s = self.ends_at - until
        found = decide_jointly(users, probed.pairs, self.policy, policy, start=start, now=until, left_s=left_s)
        verdict = self._verdict(now, found.reason, users.evidence, found)
        notes = (*verdict.notes, *([f"users: {users.silent}"] if users.silent else []))
        notes = (*notes, *([f"probes: {probed.trouble}"] if probed.trouble else []))
        return replace(verdict, notes=notes, probes=len(probed.pairs))

    def _users(self, until: float) -> UsersEvidence:
        if self.source is None:
            return UsersEvidence(False)
        try:
            return UsersEvidence(True, self._read(self.source, until))
        except NoTrafficError as error:
            return UsersEvidence(True, silent=str(error))
        except (EvidenceError, PenstockError) as error:
            return UsersEvidence(True, trouble=str(error))

    def _read(self, source: EvidenceSource, until: float) -> LiveEvidence:
        start = self.since + self.policy.warm_up_s
        return source.read(start=start, now=until, stretch_s=self.policy.stretch_s)

    def _verdict(
        self, now: float, reason: str, evidence: LiveEvidence | None, found: LiveDecision | None
    ) -> WatchVerdict:
        """``reason`` is in words, and said as it is but after the timeout."""
        answer = found.answer if found is not None else "not yet"
        late = answer == "not yet" and now >= self.ends_at
        return WatchVerdict(
            "Inconclusive" if late else _PHASES[answer],
            "inconclusive" if late else answer,
            f"undecided after {self.policy.timeout_s:g} s: {reason}" if late else reason,
            self.since,
            now,
            evidence.canary_requests if evidence is not None else None,
            evidence.canary_users if evidence is not None else None,
            found,
            evidence.notes if evidence is not None else (),
        )


def steady_clock() -> Callable[[], float]:
    """Unix seconds from now on; a clock that is set back or ahead meanwhile changes nothing."""
    offset = time.time() - time.monotonic()
    return lambda: time.monotonic() + offset


def follow(
    watcher: CanaryWatch, *, clock: Callable[[], float] | None = None, wait: Callable[[float], object] = time.sleep
) -> Iterator[WatchVerdict]:
    """A look after each stretch, until it is decided or the timeout is over. The last verdict is never ``Running``."""
    clock = clock or steady_clock()
    while True:
        verdict = watcher.look(clock())
        yield verdict
        if verdict.phase != "Running":
            return
        wait(max(0.05, min(watcher.policy.stretch_s, watcher.ends_at - clock())))
