"""Processes that a test's programs leave behind."""

from __future__ import annotations

import contextlib
import ctypes
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass

from penstock.invocation.launch import descendants
from penstock.invocation.privileges import PR_SET_CHILD_SUBREAPER

WAIT_S = 15
"""For a process that was killed to be gone: one that held much memory takes its time."""


@dataclass(frozen=True)
class Orphans:
    """Processes that were started below this one and have lost their parent come to this one."""

    before: frozenset[int]
    """What ran below this process when the test began. What they start is theirs: a browser of another fixture."""

    def left(self) -> list[int]:
        """Those that still live after some seconds' wait."""
        deadline = time.monotonic() + WAIT_S
        while True:
            theirs = {below for pid in self.before for below in (pid, *descendants(pid))}
            found = [pid for pid in descendants(os.getpid()) if pid not in theirs and not reaped(pid)]
            if not found or time.monotonic() > deadline:
                return found
            time.sleep(0.02)


@contextlib.contextmanager
def adopted() -> Iterator[Orphans]:
    """Processes whose parent dies come to this process while the block lasts."""
    libc = ctypes.CDLL(None, use_errno=True)
    assert libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0
    try:
        yield Orphans(frozenset(descendants(os.getpid())))
    finally:
        libc.prctl(PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0)


def reaped(pid: int) -> bool:
    """Whether an orphan had ended; it is collected."""
    try:
        return os.waitpid(pid, os.WNOHANG)[0] == pid
    except ChildProcessError:
        return False
