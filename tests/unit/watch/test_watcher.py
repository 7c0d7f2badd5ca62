"""Whatever becomes of the evidence: never good without it, and always an end."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field

import numpy as np
import pytest
from tests.unit.watch.made_pairs import made_pairs

from penstock.foundation.errors import UsageError
from penstock.watch.evidence import EvidenceError, LiveEvidence, NoTrafficError
from penstock.watch.probe_policy import ProbePolicy
from penstock.watch.prober import ProbesSoFar
from penstock.watch.sequential import EventCounts
from penstock.watch.watch_policy import CountMargin, WatchedSignals, WatchPolicy
from penstock.watch.watcher import CanaryWatch, WatchVerdict, follow, steady_clock

T0 = 1_764_200_000.0
POLICY = WatchPolicy(signals=WatchedSignals(errors=CountMargin()), stretch_s=60.0, warm_up_s=120.0, timeout_s=7200.0)


@dataclass
class Made:
    """LiveEvidence as it would be at that time."""

    errors_a_minute: float = 1.0
    lost: set[int] = field(default_factory=set)
    """Looks at which there is none."""
    error: Exception = field(default_factory=lambda: EvidenceError("Prometheus is gone"))
    killed_at: float = 1e12
    looks: int = 0

    def read(self, *, start: float, now: float, stretch_s: float) -> LiveEvidence:
        self.looks += 1
        if self.looks in self.lost:
            raise self.error
        minutes = max(0, int((now - start) // stretch_s))
        alive = start + stretch_s * np.arange(minutes) < self.killed_at
        size = np.ones(minutes)
        return LiveEvidence(
            start,
            stretch_s,
            EventCounts(100.0 * alive, self.errors_a_minute * alive, 1900.0 * size, 19.0 * size),
            canary_requests=int(100 * alive.sum()),
        )


class Clock:
    """Time that passes while one waits."""

    def __init__(self) -> None:
        self.now = T0

    def __call__(self) -> float:
        return self.now

    def wait(self, seconds: float) -> None:
        self.now += seconds


def watched(source: Made, policy: WatchPolicy = POLICY) -> list[str]:
    clock = Clock()
    verdicts = list(follow(CanaryWatch(policy, source, T0), clock=clock, wait=clock.wait))
    assert clock.now <= T0 + policy.timeout_s + policy.stretch_s
    assert all(verdict.phase == "Running" for verdict in verdicts[:-1])
    return [verdicts[-1].phase, verdicts[-1].decision, verdicts[-1].reason]


def test_good_and_bad() -> None:
    assert watched(Made())[:2] == ["Successful", "good"]
    assert watched(Made(errors_a_minute=5.0))[:2] == ["Failed", "bad"]


def test_what_lies_between_is_inconclusive() -> None:
    phase, decision, reason = watched(Made(errors_a_minute=1.42))
    assert (phase, decision) == ("Inconclusive", "inconclusive")
    assert reason.startswith("undecided after 7200 s: errors: 1.42 % on the canary")


@pytest.mark.parametrize("error", [EvidenceError("Prometheus is gone"), UsageError("a bad line", where="log:3")])
def test_evidence_that_is_gone_for_good(error: Exception) -> None:
    phase, decision, reason = watched(Made(lost=set(range(1000)), error=error))
    assert (phase, decision) == ("Inconclusive", "inconclusive")
    assert str(error) in reason


def test_evidence_that_is_gone_for_some_looks() -> None:
    assert watched(Made(lost=set(range(5, 30))))[0] == "Successful"
    assert watched(Made(errors_a_minute=5.0, lost=set(range(3, 30))))[0] == "Failed"


def test_a_canary_that_is_killed() -> None:
    phase, _, reason = watched(Made(killed_at=T0 + 600))
    assert phase == "Inconclusive"
    assert "the canary has had no requests" in reason


def test_who_restarts_it_finds_the_same() -> None:
    for source in (Made(), Made(errors_a_minute=5.0)):
        clock = Clock()
        *_, last = follow(CanaryWatch(POLICY, source, T0), clock=clock, wait=clock.wait)
        again = CanaryWatch(POLICY, Made(errors_a_minute=source.errors_a_minute), T0).look(clock.now)
        assert (again.phase, again.found, again.as_json()) == (last.phase, last.found, last.as_json())


def test_long_after_the_timeout_it_looks_at_what_was_until_then() -> None:
    late = CanaryWatch(POLICY, Made(errors_a_minute=1.42), T0).look(T0 + 1e6)
    assert late.phase == "Inconclusive"
    assert late.canary_requests == 100 * 118
    assert CanaryWatch(POLICY, Made(), T0).look(T0 + 1e6).phase == "Successful"


def test_before_the_start() -> None:
    found = CanaryWatch(POLICY, Made(), T0).look(T0 - 500)
    assert (found.phase, found.found) == ("Running", None)


def test_json() -> None:
    found = CanaryWatch(POLICY, Made(errors_a_minute=5.0), T0).look(T0 + 3000).as_json()
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    assert found["phase"] == "Failed"
    assert found["signals"][0]["state"] == "worse"
    assert found["decided_at"] == T0 + 120 + 240
    gone = CanaryWatch(POLICY, Made(lost={1}), T0).look(T0 + 3000).as_json()
    assert (gone["phase"], gone["signals"], gone["requests_needed"]) == ("Running", [], None)


def test_a_clock_that_is_set_back_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = steady_clock()
    before = clock()
    monkeypatch.setattr(time, "time", lambda: 0.0)
    assert 0 <= clock() - before < 60


@dataclass
class Probes:
    """Pairs as they would be at that time, one each ten seconds."""

    fails: float = 0.0
    trouble: str = ""
    looks: list[bool] = field(default_factory=list)
    """Whether it was settled, at each look."""

    def read(self, since: float) -> ProbesSoFar:
        return ProbesSoFar(made_pairs(700, fails=self.fails, start=since), self.trouble)

    def look(self, start: float, *, until: float, settled: bool) -> None:
        assert (start, until) == (T0 + 120, T0 + 7200)
        self.looks.append(settled)


PROBED = WatchPolicy(
    signals=WatchedSignals(errors=CountMargin()), probes=ProbePolicy(canary="http://canary", stable="http://stable")
)


@dataclass
class Nobody(Made):
    """No canary request at all."""

    def read(self, *, start: float, now: float, stretch_s: float) -> LiveEvidence:
        self.looks += 1
        raise NoTrafficError("no series matches it")


def probed(source: Made | None, probes: Probes) -> WatchVerdict:
    clock = Clock()
    *_, last = follow(CanaryWatch(PROBED, source, T0, probes), clock=clock, wait=clock.wait)
    assert probes.looks[-1]
    assert not any(probes.looks[:-1])
    return last


def test_probes_decide_where_traffic_is_scarce() -> None:
    good = probed(Nobody(), Probes())
    assert (good.phase, good.as_json()["used"]) == ("Successful", ["probes"])
    assert good.notes == ("users: no series matches it",)
    bad = probed(Nobody(), Probes(fails=1.0))
    assert (bad.phase, bad.as_json()["used"]) == ("Failed", ["probes"])
    assert bad.as_json()["decided_at"] == T0 + 120 + 240
    assert json.loads(json.dumps(bad.as_json(), allow_nan=False)) == bad.as_json()


def test_probes_alone() -> None:
    assert probed(None, Probes()).as_json()["canary_requests"] is None


def test_users_that_cannot_be_read_end_inconclusive_however_good_the_probes_are() -> None:
    gone = Made(lost=set(range(1000)))
    last = CanaryWatch(PROBED, gone, T0, Probes(trouble="a full disk")).look(T0 + 7200)
    assert (last.phase, last.decision) == ("Inconclusive", "inconclusive")
    assert "probes are within every margin, but Prometheus is gone" in last.reason
    assert "probes: a full disk" in last.notes


def test_without_any_source_nothing_is_good() -> None:
    assert CanaryWatch(POLICY, None, T0).look(T0 + 3000).phase == "Running"
