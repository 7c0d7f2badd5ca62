"""The queue between a forge's webhooks, which are answered at once, and the thread that acts on them."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from dataclasses import dataclass

from penstock.pulls.desk_file import DeskRepository
from penstock.pulls.happenings import CommentEvent, Happening

MAX_QUEUED = 1000


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
        self._changed, self._nudged = threading.Condition(), False

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
                if now >= end or self._nudged:
                    self._nudged = False
                    return None
                self._changed.wait(max(0.001, min(first, end) - now))

    def nudge(self) -> None:
        """Have who waits for an event go on without one."""
        with self._changed:
            self._nudged = True
            self._changed.notify()

    def __len__(self) -> int:
        with self._changed:
            return len(self._events)
