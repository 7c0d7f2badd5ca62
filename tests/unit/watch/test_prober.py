"""Probes are put while somebody watches, at most so often and so many."""

from __future__ import annotations

import threading
import time

from tests.unit.watch.made_pairs import pair

from penstock.foundation.errors import WorldError
from penstock.watch.probe_journal import ProbeJournal
from penstock.watch.probe_pairs import ProbePair
from penstock.watch.probe_policy import ProbePolicy
from penstock.watch.prober import KeptProbes, Prober

QUICK = ProbePolicy(canary="http://canary", stable="http://stable", every_s=0.1, most=3)


class Put:
    """Counts the pairs; what it is told to raise is raised first."""

    def __init__(self, *errors: Exception) -> None:
        self.errors = list(errors)
        self.numbers: list[int] = []
        self.times: list[float] = []
        self.enough = threading.Event()
        self.wanted = 3

    def __call__(self, number: int) -> ProbePair:
        self.times.append(time.monotonic())
        if self.errors:
            raise self.errors.pop(0)
        self.numbers.append(number)
        if len(self.numbers) == self.wanted:
            self.enough.set()
        return pair(time.time())


def test_so_many_and_not_faster() -> None:
    put, journal = Put(), ProbeJournal(None)
    with Prober(QUICK, put, journal) as prober:
        assert not put.enough.wait(0.05), "nobody has looked"
        since = time.time()
        prober.look(since, until=since + 60, settled=False)
        assert put.enough.wait(30)
        time.sleep(0.15)
    assert put.numbers == [0, 1, 2]
    assert put.times[-1] - put.times[0] >= 0.199
    assert len(prober.read(since).pairs) == 3
    assert prober.read(since + 60).pairs == []


def test_another_canary_has_probes_of_its_own() -> None:
    put, journal = Put(), ProbeJournal(None)
    for _ in range(3):
        journal.add(pair(time.time() - 100))
    with Prober(QUICK, put, journal) as prober:
        prober.look(time.time() - 200, until=time.time() + 60, settled=False)
        assert not put.enough.wait(0.05), "this one has had all of them"
        prober.look(time.time(), until=time.time() + 60, settled=False)
        assert put.enough.wait(30)
    assert put.numbers == [3, 4, 5]


def test_none_after_it_is_decided_or_the_time_is_over() -> None:
    put, journal = Put(), ProbeJournal(None)
    put.wanted = 1
    with Prober(QUICK, put, journal) as prober:
        prober.look(time.time(), until=time.time() - 1, settled=False)
        prober.look(time.time(), until=time.time() + 60, settled=True)
        assert not put.enough.wait(0.15)


def test_our_own_faults_are_told_and_tried_again() -> None:
    put, journal = Put(WorldError("no space is left on the disk"), ValueError("odd")), ProbeJournal(None)
    with Prober(QUICK, put, journal) as prober:
        since = time.time()
        prober.look(since, until=since + 60, settled=False)
        seen = set()
        while not put.enough.wait(0.01):
            seen.add(prober.read(since).trouble)
    assert {"no space is left on the disk", "bug: ValueError: odd"} <= seen
    assert put.numbers == [0, 1, 2]


def test_kept_ones_are_only_read() -> None:
    journal = ProbeJournal(None)
    journal.add(pair(100.0))
    kept = KeptProbes(journal)
    kept.look(0.0, until=1e12, settled=False)
    assert list(kept.read(50.0).pairs) == [pair(100.0)]
    assert kept.read(150.0).trouble == ""


def test_a_pair_that_is_under_way_at_the_end_is_not_kept() -> None:
    """Its connections are closed with the watch, which would pass for a failure of one side."""
    begun, go_on, journal = threading.Event(), threading.Event(), ProbeJournal(None)
    threads = []

    def put(_number: int) -> ProbePair:
        threads.append(threading.current_thread())
        begun.set()
        assert go_on.wait(30)
        return pair(time.time(), canary_fails=True)

    with Prober(QUICK, put, journal) as prober:
        prober.look(0.0, until=time.time() + 60, settled=False)
        assert begun.wait(30)
    go_on.set()
    threads[0].join(30)
    assert not threads[0].is_alive()
    assert journal.since(0.0) == []


def test_the_clock_is_the_watchs() -> None:
    """The machine's may be set meanwhile; a watch that follows has one of its own."""
    put, journal = Put(), ProbeJournal(None)
    put.wanted = 1
    with Prober(QUICK, put, journal, lambda: 1000.0) as prober:
        prober.look(900.0, until=1100.0, settled=False)
        assert put.enough.wait(30)
