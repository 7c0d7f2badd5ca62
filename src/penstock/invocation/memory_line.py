"""What a service holds over time, memory and files, beside how many requests it has served until then."""

from __future__ import annotations

import threading
import time
from array import array
from collections.abc import Callable
from types import TracebackType

from penstock.foundation.nvidia import cards, gpu_mib_of, gpu_used_mib
from penstock.invocation.launch import watched_descendants
from penstock.invocation.memory import GPU_QUERY_LIMIT_S, MIB, pss_bytes, rss_bytes

Reader = Callable[[], float | None]
"""How much is held now, in MiB; ``None``: that cannot be said."""


class MemoryWatchLine:
    """Samples while the block runs.

    Args:
        read: how much is held. ``None``: there is nothing to look at.
        done: how many requests have ended, asked at each sample.
        every_s: seconds between two samples.
    """

    def __init__(self, read: Reader | None, done: Callable[[], int], every_s: float) -> None:
        self.at: array[float] = array("d")
        """By ``time.perf_counter``."""
        self.done: array[int] = array("l")
        self.mib: array[float] = array("d")
        self._read = read
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
        # a driver that hangs (a card that fell off its bus) does not keep the load from ending
        self._thread.join(GPU_QUERY_LIMIT_S)

    def _sample(self) -> None:
        while self._read is not None and not self._stop.wait(self._every_s):
            held = self._read()
            if held is not None and not self._stop.is_set():
                self.at.append(time.perf_counter())
                self.done.append(self._count())
                self.mib.append(held)


def main_memory(root: int | None) -> Reader | None:
    """Main memory of the descendants of a launcher. A page that several share counts once (proportional set size).

    Nothing at all is no sample: its processes have just ended.
    """
    if root is None:
        return None

    def read() -> float | None:
        pids = watched_descendants(root)
        held = rss_bytes(pids[0]) if len(pids) == 1 else sum(pss_bytes(pid) or rss_bytes(pid) for pid in pids)
        return held / MIB or None

    return read


def gpu_memory(root: int | None, before_mib: float | None) -> Reader | None:
    """GPU memory of the descendants of a launcher, over all cards; ``None`` where there is no card.

    Inside a container the driver may not list the processes: then it is what is used on the cards beyond
    ``before_mib``, which was used before the service was started.
    """
    if root is None or not cards():
        return None

    def read() -> float | None:
        found = gpu_mib_of(set(watched_descendants(root)))
        if found is None and before_mib is not None and (total := gpu_used_mib()) is not None:
            found = max(0.0, total - before_mib)
        return found or None

    return read
