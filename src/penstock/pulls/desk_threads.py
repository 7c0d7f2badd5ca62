"""The threads of the desk: one for each forge, so that a slow one holds up no other, and one for the rounds."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import replace

from penstock.foundation.errors import PenstockError
from penstock.pulls.desk import Desk, HeadBehindError
from penstock.pulls.happenings import PullEvent
from penstock.pulls.hook_queue import HookQueue, QueuedEvent
from penstock.pulls.pull_lookup import OddPullError
from penstock.pulls.rounds import Rounds

log = logging.getLogger(__name__)
EVERY_S = 2.0
"""A run whose pull request has another one that is being cancelled waits for the round after that one's end."""
SOON_S = 0.2
"""After an event a round is not waited for so long; after a thousand events it is one round."""
BEHIND_S = (0.5, 2.0, 4.0)
"""How long is waited each time before a forge is asked again whose API was behind its event: mostly it is a moment."""
AGAIN_S = (5.0, 15.0, 60.0, 120.0, 300.0, 300.0)
"""How long is waited before each further try of an event for which the world failed."""
STOP_S = 20.0


class RoundsThread:
    """A round every few seconds, and soon after it was woken."""

    def __init__(self, rounds: Rounds, *, every_s: float = EVERY_S) -> None:
        self._rounds, self._every_s = rounds, every_s
        self._woken, self._end = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._work, name="rounds", daemon=True)
        self.alive_at = time.monotonic()
        """When it was last seen to go on."""

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def wake(self) -> None:
        """Something has changed."""
        self._woken.set()

    def stop(self, within_s: float = STOP_S) -> None:
        """Do one more round, and end."""
        self._end.set()
        self._woken.set()
        self._thread.join(within_s)

    def _work(self) -> None:
        ending = False
        while not ending:
            if self._woken.wait(self._every_s):
                self._end.wait(SOON_S)
            ending = self._end.is_set()
            self._woken.clear()
            self.alive_at = time.monotonic()
            guarded("a round", self._rounds.go)


class DeskThread:
    """Acts on the events of one forge as they come."""

    def __init__(self, queue: HookQueue, desk: Desk, *, changed: Callable[[], None]) -> None:
        """Prepare.

        Args:
            queue: where events come from.
            desk: what is done about them.
            changed: called after each.
        """
        self._queue, self._desk, self._changed = queue, desk, changed
        self._end = threading.Event()
        self._first: Callable[[], None] = lambda: None
        self._thread = threading.Thread(target=self._work, name="desk", daemon=True)
        self.alive_at = time.monotonic()
        """When it was last seen to go on."""

    def start(self, *, first: Callable[[], None] = lambda: None) -> None:
        """Begin, with something that is done before all else."""
        self._first = first
        self._thread.start()

    def beat(self) -> None:
        """It goes on."""
        self.alive_at = time.monotonic()

    def stop(self, within_s: float = STOP_S) -> None:
        """Finish what is due in the queue, and end."""
        self._end.set()
        self._queue.nudge()
        self._thread.join(within_s)

    def _work(self) -> None:
        guarded("looking for what was missed", self._first)
        while True:
            self.beat()
            ending = self._end.is_set()
            event = self._queue.take(0.0 if ending else 1.0)
            if event is not None:
                self._handle(event)
                self._changed()
            elif ending:
                return

    def _handle(self, event: QueuedEvent) -> None:
        about = f"{event.repository.shown}#{event.happening.number}"
        try:
            if isinstance(event.happening, PullEvent):
                self._desk.pull(event.repository, event.happening, patient=event.behind < len(BEHIND_S))
            else:
                self._desk.comment(event.repository, event.happening)
        except HeadBehindError:
            self._later(replace(event, behind=event.behind + 1), about, BEHIND_S[event.behind])
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
        self._later(replace(event, failures=event.failures + 1), about, wait_s)

    def _later(self, event: QueuedEvent, about: str, wait_s: float) -> None:
        if not self._queue.put(event, delay_s=wait_s):
            log.error("%s: given up: too many events wait already", about)


def guarded(what: str, act: Callable[[], None]) -> None:
    """Do something; what goes wrong is logged, and ends no thread."""
    try:
        act()
    except PenstockError as error:
        log.warning("%s failed: %s", what, error)
    except Exception:
        log.exception("%s: a bug", what)
