"""Asking the store with a time limit: a page never waits for a store that is slow or gone."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from contextvars import ContextVar
from typing import TypeVar

from penstock.foundation.errors import WorldError
from penstock.store.store import DamagedError, NotStoredError

LIMIT_S = 8.0
"""A page waits so long at most, for all that it asks the store."""
AWAY_S = 2.0
"""After a failure the store is left alone for so long: pages say at once that it is away."""
WORKERS = 16
AGAIN = "Reload the page in some seconds."
Result = TypeVar("Result")
_page_ends: ContextVar[float] = ContextVar("page_ends", default=math.inf)


class StoreAwayError(WorldError):
    """The store is slow or cannot be reached: the page says so, and the next one tries again."""


class PatientPool:
    """Threads that ask the store. One that hangs in it keeps its thread, and nobody waits for it."""

    def __init__(self, where: str, *, limit_s: float = LIMIT_S, clock: Callable[[], float] = time.monotonic) -> None:
        self.where = where
        self.limit_s = limit_s
        self.clock = clock
        self._pool = ThreadPoolExecutor(WORKERS, thread_name_prefix="book")
        self._away_until = 0.0
        self._away: StoreAwayError | None = None

    def begin_page(self) -> None:
        """From here on, all that is waited for in this context is one page's: :data:`LIMIT_S` are for all of it."""
        _page_ends.set(self.clock() + self.limit_s)

    def submit(self, work: Callable[[], Result]) -> Future[Result]:
        """Begin something. :meth:`wait` for it.

        Raises:
            StoreAwayError: it was away a moment ago, or the page has waited long enough.
        """
        self._refuse_while_away()
        return self._pool.submit(work)

    def ask(self, work: Callable[[], Result]) -> Result:
        """Do something that asks the store, and wait for it; see :meth:`wait`."""
        return self.wait(self.submit(work))

    def wait(self, future: Future[Result], *, is_stores: bool = True) -> Result:
        """Wait for what was begun, for :data:`LIMIT_S`, or what a page has left of them.

        Args:
            future: the work.
            is_stores: whether it is the store that takes so long; else other pages go on to ask it.

        Raises:
            StoreAwayError: it takes longer, or the store cannot be reached.
            NotStoredError: there is no such object.
            DamagedError: what is there is not what was stored.
        """
        self._refuse_while_away()
        try:
            return future.result(timeout=self.left_s())
        except (TimeoutError, CancelledError):  # cancelled: another one that waited for it has given up
            future.cancel()
            if not is_stores:
                raise StoreAwayError("it takes longer than a page waits", where=self.where, todo=AGAIN) from None
            raise self._too_slow() from None
        except (NotStoredError, DamagedError):
            raise
        except WorldError as error:
            raise self._gone(error.what) from None

    def left_s(self) -> float:
        """How long may be waited, in seconds, 0 to :data:`LIMIT_S`: a page that has waited has less of them."""
        return min(self.limit_s, max(0.0, _page_ends.get() - self.clock()))

    def close(self) -> None:
        """Begin nothing more."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _refuse_while_away(self) -> None:
        if self._away is not None and self.clock() < self._away_until:
            raise self._away
        if _page_ends.get() <= self.clock():
            raise self._too_slow()

    def _too_slow(self) -> StoreAwayError:
        return self._gone(f"the store did not answer within {self.limit_s:g} s")

    def _gone(self, what: str) -> StoreAwayError:
        self._away = StoreAwayError(what, where=self.where, todo=AGAIN)
        self._away_until = self.clock() + AWAY_S
        return self._away
