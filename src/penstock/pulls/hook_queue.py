"""The queue between the webhooks, which are answered at once, and the one thread that acts on them."""

from __future__ import annotations

import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from penstock.foundation.errors import PenstockError
from penstock.pulls.desk import Desk, HeadBehindError
from penstock.pulls.desk_file import DeskRepository
from penstock.pulls.happenings import CommentEvent, Happening, PullEvent
from penstock.pulls.pull_lookup import OddPullError
from penstock.pulls.rounds import Rounds

log = logging.getLogger(__name__)
MAX_QUEUED = 1000
EVERY_S = 5.0
BEHIND_S = 3.0
"""After so long a forge whose API was behind its event is asked again."""
AGAIN_S = (5.0, 15.0, 60.0, 120.0, 300.0, 300.0)
"""How long is waited before each further try of an event for which the world failed."""


@dataclass(frozen=True)
class QueuedEvent:
    """An event, and how often it was tried."""

    repository: DeskRepository
    happening: Happening
    failures: int = 0
    behind: int = 0


class HookQueue:
    """Events in the order in which they came; of one pull request's many changes only the last."""

    def __init__(self, most: int = MAX_QUEUED) -> None:
        self._most = most
        self._events = OrderedDict[tuple[str, ...], tuple[float, QueuedEvent]]()
        self._changed = threading.Condition()

    def put(self, event: QueuedEvent, *, delay_s: float = 0.0) -> bool:
        """Add an event, to be acted on after so long; ``False``: there are too many."""
        happening = event.happening
        key: tuple[str, ...] = (event.repository.shown, str(happening.number))
        if isinstance(happening, CommentEvent):
            key = (*key, str(happening.comment))
        with self._changed:
            if key not in self._events and len(self._events) >= self._most:
                return False
            if key in self._events and (event.failures or event.behind):
                return True  # a newer one of this pull request came meanwhile
            self._events[key] = (time.monotonic() + delay_s, event)
            self._changed.notify()
        return True

    def take(self, wait_s: float) -> QueuedEvent | None:
        """The first that is due; ``None``: none was within so long."""
        end = time.monotonic() + wait_s
        with self._changed:
            while True:
                now = time.monotonic()
                for key, (due, event) in self._events.items():
                    if due <= now:
                        del self._events[key]
                        return event
                first = min((due for due, _ in self._events.values()), default=end)
                if now >= end:
                    return None
                self._changed.wait(max(0.001, min(first, end) - now))

    def __len__(self) -> int:
        with self._changed:
            return len(self._events)


class DeskWorker:
    """The thread that acts: events as they come, a round every few seconds and after each event."""

    def __init__(self, queue: HookQueue, desk: Desk, rounds: Rounds, *, every_s: float = EVERY_S) -> None:
        self._queue, self._desk, self._rounds, self._every_s = queue, desk, rounds, every_s
        self._end = threading.Event()
        self._first: Callable[[], None] = lambda: None
        self._thread = threading.Thread(target=self._work, name="desk", daemon=True)
        self.alive_at = time.monotonic()
        """When it was last seen to go on."""

    def start(self, *, first: Callable[[], None] = lambda: None) -> None:
        """Begin, with something that is done before all else."""
        self._first = first
        self._thread.start()

    def stop(self, within_s: float = 20.0) -> None:
        """Finish what is due in the queue, and end."""
        self._end.set()
        self._thread.join(within_s)

    def _work(self) -> None:
        self._guarded("looking for what was missed", self._first)
        next_round = 0.0
        while True:
            self.alive_at = time.monotonic()
            ending = self._end.is_set()
            event = self._queue.take(0.0 if ending else min(self._every_s, max(0.0, next_round - time.monotonic())))
            if event is not None:
                self._handle(event)
                next_round = min(next_round, time.monotonic() + 0.2)  # soon, but not after each of a thousand
            elif ending:
                return
            if time.monotonic() >= next_round:
                self._guarded("a round", self._rounds.go)
                next_round = time.monotonic() + self._every_s

    def _handle(self, event: QueuedEvent) -> None:
        about = f"{event.repository.shown}#{event.happening.number}"
        try:
            if isinstance(event.happening, PullEvent):
                self._desk.pull(event.repository, event.happening, patient=event.behind < 2)
            else:
                self._desk.comment(event.repository, event.happening)
        except HeadBehindError:
            again = QueuedEvent(event.repository, event.happening, event.failures, event.behind + 1)
            self._queue.put(again, delay_s=BEHIND_S)
        except OddPullError as error:
            log.warning("%s: %s", about, error)
        except PenstockError as error:
            self._again(event, about, error)
        except Exception:
            log.exception("%s: a bug", about)

    def _again(self, event: QueuedEvent, about: str, error: PenstockError) -> None:
        if event.failures == len(AGAIN_S):
            log.error("%s: given up: %s", about, error)
            return
        wait_s = AGAIN_S[event.failures]
        log.warning("%s: tried again in %g s: %s", about, wait_s, error)
        self._queue.put(
            QueuedEvent(event.repository, event.happening, event.failures + 1, event.behind), delay_s=wait_s
        )

    def _guarded(self, what: str, act: Callable[[], None]) -> None:
        try:
            act()
        except PenstockError as error:
            log.warning("%s failed: %s", what, error)
        except Exception:
            log.exception("%s: a bug", what)
