"""One thread that samples whatever is watched at the moment, so that a call need not start one of its own."""

from __future__ import annotations

import threading
import time
from typing import Protocol

IDLE_PERIODS = 20
"""After so many periods in which nothing is watched the thread ends; the next watch starts another."""


class Sampled(Protocol):
    """What is watched."""

    def sample(self) -> None:
        """Take a sample; must not raise."""


class Sampler:
    """Samples every ``period_s`` seconds, beginning one period after it was asked to."""

    def __init__(self, period_s: float, *, name: str) -> None:
        self._period_s = period_s
        self._name = name
        self._lock = threading.Lock()
        self._watched: list[Sampled] = []
        self._thread: threading.Thread | None = None

    def add(self, watched: Sampled) -> None:
        """Begin to sample it."""
        with self._lock:
            self._watched.append(watched)
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
                self._thread.start()

    def remove(self, watched: Sampled) -> None:
        """Sample it no more; a sample that is being taken may still end later."""
        with self._lock:
            self._watched.remove(watched)

    def _run(self) -> None:
        idle = 0
        while True:
            time.sleep(self._period_s)
            with self._lock:
                watched = list(self._watched)
                idle = 0 if watched else idle + 1
                if idle > IDLE_PERIODS:
                    self._thread = None
                    return
            for each in watched:
                each.sample()
