"""How many pictures are looked at, and wait, at a time."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from recognition_lite.request import RequestError

AT_A_TIME, WAITING = 4, 32


class Places:
    """What comes while all places are taken waits; what finds too many waiting is told to come again."""

    def __init__(self) -> None:
        """All places are free."""
        self._working = threading.Semaphore(AT_A_TIME)
        self._room = threading.Semaphore(AT_A_TIME + WAITING)

    @contextmanager
    def taken(self) -> Iterator[None]:
        """A place, for as long as it is needed. Raises RequestError (503) where too many wait."""
        if not self._room.acquire(blocking=False):
            raise RequestError(503, "too many requests: come again")
        try:
            with self._working:
                yield
        finally:
            self._room.release()
