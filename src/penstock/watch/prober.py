"""Putting probes to both sides at a bounded rate, while somebody watches."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from penstock.foundation.errors import PenstockError, one_line
from penstock.watch.probe_journal import ProbeJournal
from penstock.watch.probe_pairs import ProbePair
from penstock.watch.probe_policy import ProbePolicy

IDLE_S: Final = 600.0
"""So long after the last look no probe is put any more: an endpoint that nobody asks puts no load on anybody."""
PutPair = Callable[[int], ProbePair]
"""The number of a pair → what came of it. The same number, the same case and order."""


@dataclass(frozen=True)
class ProbesSoFar:
    """What a look finds."""

    pairs: Sequence[ProbePair]
    trouble: str = ""
    """Why no more come; empty while they do."""


class KeptProbes:
    """The pairs of a journal, to which none is added here.

    Args:
        journal: of the watch that puts them.
    """

    def __init__(self, journal: ProbeJournal) -> None:
        self._journal = journal

    def read(self, since: float) -> ProbesSoFar:
        """The pairs since ``since``, Unix seconds."""
        return ProbesSoFar(self._journal.since(since))

    def look(self, start: float, *, until: float, settled: bool) -> None:
        """Nothing: nobody is waiting."""


class Prober:
    """Puts one pair after the other in a thread of its own, from the first look on. Use as a context manager.

    It goes on while looks come, until so many pairs as the policy allows have been put to the canary of the last look.

    Args:
        policy: how often, and how many.
        put: puts one pair.
        journal: keeps them.
        clock: Unix seconds; the one that the looks and the pairs are timed by.
    """

    def __init__(
        self, policy: ProbePolicy, put: PutPair, journal: ProbeJournal, clock: Callable[[], float] = time.time
    ) -> None:
        self._policy, self._put, self._journal, self._clock = policy, put, journal, clock
        self._start, self._until = 0.0, 0.0
        self._trouble = ""
        self._changed = threading.Condition()
        self._ended = False
        self._thread = threading.Thread(target=self._run, name="probes", daemon=True)

    def __enter__(self) -> Prober:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """End it; a pair that is under way is left to itself, and not kept: its connections may be closed meanwhile."""
        with self._changed:
            self._ended = True
            self._changed.notify()

    def look(self, start: float, *, until: float, settled: bool) -> None:
        """Say that somebody has looked, so that probes go on.

        Args:
            start: Unix seconds: from when on pairs of the canary that was looked at count, and how many it has had.
            until: Unix seconds: the timeout of its watch.
            settled: it is decided: no more probes are needed.
        """
        with self._changed:
            self._start = start
            self._until = 0.0 if settled else min(until, self._clock() + IDLE_S)
            self._changed.notify()

    def read(self, since: float) -> ProbesSoFar:
        """The pairs since ``since``, Unix seconds."""
        return ProbesSoFar(self._journal.since(since), self._trouble)

    def _run(self) -> None:
        begun = 0.0
        while self._wait(begun):
            begun = time.monotonic()
            try:
                pair = self._put(len(self._journal.since(0.0)))
                if self._ended:
                    return
                self._journal.add(pair)
                self._trouble = ""
            except PenstockError as error:  # ours, not the service's: a file that is gone, a full disk
                self._trouble = one_line(str(error))
            except Exception as error:
                self._trouble = f"bug: {type(error).__name__}: {one_line(str(error))[:200]}"

    def _wait(self, begun: float) -> bool:
        """Wait until the next pair is due; whether there is one."""
        with self._changed:
            while not self._ended:
                due = begun + self._policy.every_s - time.monotonic()
                if not self._wanted():
                    self._changed.wait(None)
                elif due <= 0:
                    return True
                else:
                    self._changed.wait(due)
        return False

    def _wanted(self) -> bool:
        return self._clock() < self._until and len(self._journal.since(self._start)) < self._policy.most
