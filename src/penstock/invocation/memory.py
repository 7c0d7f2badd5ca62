"""Peak memory of a model's processes during one call: main memory from ``/proc``, GPU memory from the driver."""

from __future__ import annotations

import contextlib
import os
import threading
from pathlib import Path
from types import TracebackType

from penstock.foundation.nvidia import cards, gpu_mib_of, gpu_used_mib
from penstock.invocation.launch import watched_descendants
from penstock.invocation.sampler import Sampler

PERIOD_S = 0.05
SCAN_EVERY = 5
"""Looking for new processes takes longer than reading what the known ones hold: only every fifth sample does."""
GPU_PERIOD_S = 0.5
GPU_QUERY_LIMIT_S = 10.0
"""A driver that hangs (a card that fell off its bus) does not keep the call from ending."""
MIB = 1 << 20
SAMPLER = Sampler(PERIOD_S, name="memory-watch")


class MemoryWatch:
    """Watches the descendants of ``root`` while the block runs; then ``peak_mib`` and ``gpu_mib`` hold what was seen.

    ``peak_mib`` is the largest sum over the processes, sampled 20 times a second. Where several processes share pages,
    a page counts once (proportional set size). The kernel's own high-water mark of each process, reset when the block
    starts, catches a peak between two samples. ``None`` where nothing could be read, as for a ``root`` of ``None``.

    ``gpu_mib`` is ``None`` without an NVIDIA card, or where the model used none. Inside a container the driver may not
    list the model's processes; then it is the growth of the cards' used memory over ``gpu_before_mib``, what was used
    before the model started.
    """

    def __init__(self, root: int | None, *, gpu_before_mib: float | None = None) -> None:
        self.peak_mib: float | None = None
        self.gpu_mib: float | None = None
        self._root = root
        self._gpu_before = gpu_before_mib
        self._pids: list[int] = []
        self._largest_rss = 0
        self._peak = 0
        self._samples = 0
        self._over = False
        self._lock = threading.Lock()
        """Held while a sample is taken."""
        self._stop = threading.Event()
        self._gpu_thread: threading.Thread | None = None

    def __enter__(self) -> MemoryWatch:
        if self._root is None:
            return self
        self._pids = watched_descendants(self._root)
        for pid in self._pids:
            with contextlib.suppress(OSError):
                Path(f"/proc/{pid}/clear_refs").write_text("5", encoding="ascii")
        self.sample()
        SAMPLER.add(self)
        if cards():
            self._gpu_thread = threading.Thread(target=self._sample_gpu, name="gpu-watch", daemon=True)
            self._gpu_thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        if self._root is not None:
            SAMPLER.remove(self)
        with self._lock:
            self._over = True
            for pid in self._pids:
                self._peak = max(self._peak, high_water_bytes(pid))
        if self._gpu_thread is not None:
            self._gpu_thread.join(GPU_QUERY_LIMIT_S)
        if self._peak:
            self.peak_mib = self._peak / MIB

    def include(self, peak_mib: float) -> None:
        """Take in a peak of one process that was learnt otherwise (from the kernel, when it ended)."""
        self.peak_mib = max(self.peak_mib or 0.0, peak_mib) or None

    def sample(self) -> None:
        """Look once; nothing once the block is over."""
        with self._lock:
            if self._over or self._root is None:
                return
            self._samples += 1
            if self._samples % SCAN_EVERY == 0:
                self._pids = watched_descendants(self._root)
            self._take()

    def _take(self) -> None:
        rss = sum(map(rss_bytes, self._pids))
        if rss > self._largest_rss:
            self._largest_rss = rss
            # Reading the proportional size walks the page tables: only where a new peak needs it.
            held = rss if len(self._pids) == 1 else sum(pss_bytes(pid) or rss_bytes(pid) for pid in self._pids)
            self._peak = max(self._peak, held)

    def _sample_gpu(self) -> None:
        while self._root is not None:
            used = gpu_mib_of(set(watched_descendants(self._root)))
            if used is None and self._gpu_before is not None and (total := gpu_used_mib()) is not None:
                used = total - self._gpu_before
            if used is not None and used > 0:
                self.gpu_mib = max(self.gpu_mib or 0.0, used)
            if self._stop.wait(GPU_PERIOD_S):
                return


def rss_bytes(pid: int) -> int:
    """Resident set size; 0 for a process that is gone."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_bytes().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, IndexError, ValueError):
        return 0


def pss_bytes(pid: int) -> int:
    """Proportional set size (a page that N processes share counts 1/N); 0 where it cannot be read."""
    return _kib_line(Path(f"/proc/{pid}/smaps_rollup"), b"Pss:")


def high_water_bytes(pid: int) -> int:
    """Peak resident set size since it was reset; 0 for a process that is gone."""
    return _kib_line(Path(f"/proc/{pid}/status"), b"VmHWM:")


def _kib_line(path: Path, name: bytes) -> int:
    try:
        for line in path.read_bytes().splitlines():
            if line.startswith(name):
                return int(line.split()[1]) * 1024
    except (OSError, IndexError, ValueError):
        pass
    return 0
