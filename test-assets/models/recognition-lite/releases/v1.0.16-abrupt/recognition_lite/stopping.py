"""Stopping: what was begun is answered first."""

from __future__ import annotations

import os
import signal
import threading

GRACE_S = 15.0
"""How long the answers under way may take."""


class Stop:
    """Waits for SIGTERM or SIGINT; counts what is under way."""

    def __init__(self) -> None:
        """Listen for the signals: only in the main thread."""
        self._asked = threading.Event()
        self._under_way = 0
        self._changed = threading.Condition()
        signals = {signal.SIGTERM, signal.SIGINT}
        signal.pthread_sigmask(signal.SIG_BLOCK, signals)  # of all threads, which are made later
        threading.Thread(target=self._watch, args=(signals,), name="stop", daemon=True).start()

    def _watch(self, signals: set[signal.Signals]) -> None:
        signal.sigwait(signals)
        os._exit(0)

    @property
    def asked(self) -> bool:
        """Whether the service shall stop."""
        return self._asked.is_set()

    def wait(self) -> None:
        """Until the service shall stop."""
        while not self._asked.wait(0.2):
            pass  # a signal that comes while a thread is made does not always wake this one

    def begin(self) -> None:
        """A connection, or a request on one, came."""
        with self._changed:
            self._under_way += 1

    def end(self) -> None:
        """It was answered."""
        with self._changed:
            self._under_way -= 1
            self._changed.notify_all()

    def finish(self) -> bool:
        """Wait until all is answered; whether it was, in time."""
        with self._changed:
            return self._changed.wait_for(lambda: self._under_way == 0, GRACE_S)
