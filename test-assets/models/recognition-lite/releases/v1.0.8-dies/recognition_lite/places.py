"""How many pictures are looked at, and wait, at a time."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from recognition_lite.logs import log

AT_A_TIME, WAITING = 4, 8


class Places:
    """What comes while all places are taken waits; where too many wait, the service starts anew."""

    def __init__(self) -> None:
        """All places are free."""
        self._working = threading.Semaphore(AT_A_TIME)
        self._room = threading.Semaphore(AT_A_TIME + WAITING)

    @contextmanager
    def taken(self) -> Iterator[None]:
        """A place, for as long as it is needed. Where too many wait, something is stuck."""
        if not self._room.acquire(blocking=False):
            log("stuck", todo="the orchestrator starts it anew")
            os._exit(1)
        try:
            with self._working:
                yield
        finally:
            self._room.release()
