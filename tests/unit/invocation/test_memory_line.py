"""Memory over time, beside what was done until then."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time

import pytest

from penstock.invocation import memory_line
from penstock.invocation.memory_line import MemoryWatchLine, gpu_memory, main_memory

GROWS = """
import sys, time
held = []
for _ in range(10):
    held.append(bytearray(b"1" * (4 << 20)))
    print(len(held), flush=True)
    time.sleep(0.03)
time.sleep(60)
"""


@pytest.mark.slow
def test_what_a_child_holds_more_and_more_of() -> None:
    with subprocess.Popen([sys.executable, "-c", GROWS], stdout=subprocess.PIPE, text=True) as child:
        try:
            assert child.stdout is not None
            done = 0
            with MemoryWatchLine(main_memory(os.getpid()), lambda: done, 0.005) as line:
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
    assert main_memory(None) is None
    assert gpu_memory(None, 100.0) is None
    with MemoryWatchLine(None, lambda: 0, 0.001) as line:
        pass
    assert len(line.mib) == 0


@pytest.mark.parametrize(
    ("listed", "used", "before", "held"),
    [
        ([512.0, 600.0], 9999.0, 100.0, [512.0, 600.0]),
        # in a container: what the cards use beyond what was used before
        ([None, None], 700.0, 100.0, [600.0, 600.0]),
        ([None, None], 700.0, None, []),
        # a service that computes without the card
        ([None, None], 100.0, 100.0, []),
    ],
)
def test_a_cards_memory(
    listed: list[float | None], used: float, before: float | None, held: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    """No machine of ours has a card: the driver's answers are put in its place."""
    left = iter([*listed, *[listed[-1]] * 10_000])
    monkeypatch.setattr(memory_line, "cards", lambda: ("card",))
    monkeypatch.setattr(memory_line, "gpu_mib_of", lambda _: next(left))
    monkeypatch.setattr(memory_line, "gpu_used_mib", lambda: used)
    with MemoryWatchLine(gpu_memory(os.getpid(), before), lambda: 7, 0.001) as line:
        deadline = time.monotonic() + 10
        while len(line.mib) < len(held) and time.monotonic() < deadline:
            time.sleep(0.001)
    assert list(line.mib[: len(held)]) == held
    assert bool(line.mib) == bool(held)
    assert set(line.done) <= {7}


def test_a_machine_without_a_card(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory_line, "cards", tuple)
    assert gpu_memory(os.getpid(), 100.0) is None


def test_a_driver_that_hangs_does_not_keep_the_load_from_ending(monkeypatch: pytest.MonkeyPatch) -> None:
    free = threading.Event()

    def hang() -> float:
        free.wait(30)
        return 1.0

    monkeypatch.setattr(memory_line, "GPU_QUERY_LIMIT_S", 0.05)
    with MemoryWatchLine(hang, lambda: 0, 0.001) as line:
        time.sleep(0.02)
    free.set()
    time.sleep(0.05)
    assert len(line.mib) == 0, "what comes after the end is no sample"
