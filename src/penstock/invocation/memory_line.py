"""The main memory of a service's processes over time, beside how many requests it has served until then."""

from __future__ import annotations

import threading
import time
from array import array
from collections.abc import Callable
from types import TracebackType

from penstock.invocation.launch import watched_descendants
from penstock.invocation.memory import MIB, pss_bytes, rss_bytes


class MemoryWatchLine:
    """Samples while the block runs. A page that several processes share counts once (proportional set size).

    Args:
        root: the launcher's process id; the service's processes are its descendants. ``None``: there is none.
        done: how many requests have ended, asked at each sample.
        every_s: seconds between two samples.
    """

    def __init__(self, root: int | None, done: Callable[[], int], every_s: float) -> None:
        self.at: array[float] = array("d")
        """By ``time.perf_counter``."""
        self.done: array[int] = array("l")
        self.mib: array[float] = array("d")
        self._root = root
        self._count = done
        self._every_s = every_s
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._sample, name="memory-line", daemon=True)

    def __enter__(self) -> MemoryWatchLine:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()

    def _sample(self) -> None:
        while self._root is not None and not self._stop.wait(self._every_s):
            pids = watched_descendants(self._root)
            held = rss_bytes(pids[0]) if len(pids) == 1 else sum(pss_bytes(pid) or rss_bytes(pid) for pid in pids)
            if held:
                self.at.append(time.perf_counter())
                self.done.append(self._count())
                self.mib.append(held / MIB)
