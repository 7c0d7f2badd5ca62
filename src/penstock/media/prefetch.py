"""Decoding ahead: an iterator that works in a thread of its own while its values are used."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterable
from types import TracebackType
from typing import Generic, TypeVar

T = TypeVar("T")

FRAMES_AHEAD = 64
_POLL_SECONDS = 0.1


class Ahead(Generic[T]):
    """The values of an iterable, taken up to ``count`` of them ahead; the work begins at once.

    What the iterable raises is raised here, in its place. Leaving the ``with`` block ends the thread.
    """

    def __init__(self, values: Iterable[T], *, count: int = FRAMES_AHEAD) -> None:
        self._values = values
        self._waiting: queue.Queue[tuple[T] | BaseException] = queue.Queue(count)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._work, name="ahead", daemon=True)
        self._thread.start()

    def __enter__(self) -> Ahead[T]:
        """The iterator itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the thread."""
        self._stop.set()
        self._thread.join()

    def __iter__(self) -> Ahead[T]:
        """The iterator itself."""
        return self

    def __next__(self) -> T:
        """The next value, or what the iterable raised."""
        value = self._waiting.get()
        if isinstance(value, BaseException):
            self._waiting.put(value)  # asked again, the end is still the end
            raise value
        return value[0]

    def _work(self) -> None:
        try:
            for value in self._values:
                if not self._put((value,)):
                    return
        except BaseException as error:
            self._put(error)
        else:
            self._put(StopIteration())

    def _put(self, value: tuple[T] | BaseException) -> bool:
        while not self._stop.is_set():
            try:
                self._waiting.put(value, timeout=_POLL_SECONDS)
            except queue.Full:
                continue
            return True
        return False
