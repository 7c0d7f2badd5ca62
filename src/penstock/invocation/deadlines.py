"""What is to be done at a deadline, unless it is called off: by one thread for all calls, which most never wake.

A ``threading.Timer`` for each call is a thread that starts, waits and is woken to be called off; beside a service that
answers within milliseconds that is a good part of what a call costs.
"""

from __future__ import annotations

import heapq
import itertools
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(order=True)
class Deadline:
    """One that was set. Ordered by its time."""

    at: float
    """By ``time.monotonic``."""
    number: int
    act: Callable[[], None] | None = field(compare=False)
    """``None``: called off, or done."""

    def call_off(self) -> None:
        """Do nothing when it comes; what has begun is not ended."""
        self.act = None


class Deadlines:
    """Deadlines of any number of threads. One that was called off lets go of what it was to do at once."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._waiting: list[Deadline] = []
        self._numbers = itertools.count()
        self._thread: threading.Thread | None = None

    def set(self, seconds: float, act: Callable[[], None]) -> Deadline:
        """Let something be done in so many seconds, in another thread. It must be quick, and raise nothing."""
        deadline = Deadline(time.monotonic() + seconds, next(self._numbers), act)
        with self._changed:
            heapq.heappush(self._waiting, deadline)
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._run, name="deadlines", daemon=True)
                self._thread.start()
            elif self._waiting[0] is deadline:  # sooner than what is waited for
                self._changed.notify()
        return deadline

    def _run(self) -> None:
        while True:
            with self._changed:
                while not self._waiting or self._waiting[0].at > time.monotonic():
                    self._changed.wait(self._waiting[0].at - time.monotonic() if self._waiting else None)
                act = heapq.heappop(self._waiting).act
            if act is not None:
                act()


DEADLINES = Deadlines()
"""The process's."""
