"""The same work on every case of a suite, several cases at a time; results come in the cases' order.

Threads serve where a network does the work: it is loaded once and computes without the interpreter's lock. The rest of
the work on a case, decoding and the metrics of pictures, consists of many short calls, and two threads that pass the
lock to and fro are hardly faster than one: there each worker is a process (``docs/adr/0025-workers.md``).
"""

from __future__ import annotations

import contextlib
import os
import signal
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from typing import Any, TypeVar

from penstock.foundation.errors import WorldError
from penstock.invocation.privileges import PR_SET_PDEATHSIG, prctl

MAX_WORKERS = 4
Item = TypeVar("Item")
Result = TypeVar("Result")

_work: Callable[[int], Any] | None = None
"""What a worker process does with the case of a number: it is born with the cases, too, whose classes a family may have
made as it likes; only the number and the result are sent."""


def usable_cores() -> int:
    """Cores that work on cases uses: as many as there are, at most 4."""
    return min(len(os.sched_getaffinity(0)), MAX_WORKERS)


def worker_count(cases: int) -> int:
    """Cases that are worked on at a time by default: as many as there are cores, at most 4."""
    return max(1, min(usable_cores(), cases))


def each_case(
    work: Callable[[Item], Result], cases: Sequence[Item], *, workers: int, processes: bool
) -> Generator[Result, None, None]:
    """Work on all cases and yield the results in their order. After a failure nothing further is begun.

    Args:
        work: is given a case. In a process, what it changes is lost, and what it returns or raises is pickled; the case
            is not.
        cases: all of them.
        workers: how many at a time; 1: one after the other, here.
        processes: whether workers are processes; else they are threads.

    Raises:
        WorldError: a process was ended from outside.
    """
    if workers == 1:
        yield from map(work, cases)
        return
    with _one_opencv_thread():
        pool: Executor
        if processes:
            pool = _processes(lambda number: work(cases[number]), workers)
        else:
            pool = ThreadPoolExecutor(workers, thread_name_prefix="case")
        try:
            # a process may end while the later cases are still handed out
            if processes:
                jobs = deque(pool.submit(_on_case, number) for number in range(len(cases)))
            else:
                jobs = deque(pool.submit(work, case) for case in cases)
            while jobs:
                yield jobs.popleft().result()
        except BrokenProcessPool as error:
            raise WorldError(
                "a process that works on the cases was ended from outside, for want of memory or by a crash",
                todo="Look into the machine's log (dmesg), give it more memory, and run it again.",
            ) from error
        finally:
            pool.shutdown(cancel_futures=True)


def two_at_a_time(work: Callable[[Item], Result], cases: Sequence[Item]) -> Generator[Result, None, None]:
    """Work on two cases at a time, in processes: for a step whose memory bears two. See :func:`each_case`."""
    yield from each_case(work, cases, workers=min(2, worker_count(len(cases))), processes=True)


def _processes(work: Callable[[int], Any], workers: int) -> ProcessPoolExecutor:
    """Forked, so that they have the work and all that is imported at once; Linux is all that Penstock runs on."""
    global _work
    _work = work
    pool = ProcessPoolExecutor(workers, mp_context=get_context("fork"), initializer=_begin, initargs=(os.getpid(),))
    try:
        pool.submit(os.getpid).result()  # all are forked at the first job
    finally:
        _work = None
    return pool


def _begin(parent: int) -> None:
    """A worker's start: it ends with its parent, leaves Ctrl-C to it, and ends at once where the pool says so."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


def _on_case(number: int) -> Any:
    if _work is None:
        raise AssertionError("this is no worker")
    return _work(number)


@contextlib.contextmanager
def _one_opencv_thread() -> Iterator[None]:
    """Let each worker have one core: OpenCV's own threads on small pictures cost twice what they save.

    They are ended before a worker is forked, too: it would wait for them for ever.
    """
    import cv2

    before = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        yield
    finally:
        cv2.setNumThreads(before)
