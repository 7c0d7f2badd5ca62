"""Memory over time, beside what was done until then."""

from __future__ import annotations

import os
import subprocess
import sys
import time

from penstock.invocation.memory_line import MemoryWatchLine

GROWS = """
import sys, time
held = []
for _ in range(10):
    held.append(bytearray(b"1" * (4 << 20)))
    print(len(held), flush=True)
    time.sleep(0.03)
time.sleep(60)
"""


def test_what_a_child_holds_more_and_more_of() -> None:
    with subprocess.Popen([sys.executable, "-c", GROWS], stdout=subprocess.PIPE, text=True) as child:
        try:
            assert child.stdout is not None
            done = 0
            with MemoryWatchLine(os.getpid(), lambda: done, 0.005) as line:
                for _ in range(10):
                    done = int(child.stdout.readline())
                time.sleep(0.05)
        finally:
            child.kill()
    assert len(line.at) == len(line.done) == len(line.mib) >= 10
    assert line.mib[-1] - line.mib[0] > 20
    assert list(line.done) == sorted(line.done)
    assert line.done[-1] == 10


def test_nothing_to_look_at() -> None:
    with MemoryWatchLine(None, lambda: 0, 0.001) as line:
        pass
    assert len(line.mib) == 0
