"""Memory of a model's processes."""

from __future__ import annotations

import os
import threading
import time

import pytest

from penstock.invocation import memory


def test_gpu_memory_is_the_growth_where_the_driver_lists_no_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "cards", lambda: ("card",))
    monkeypatch.setattr(memory, "gpu_mib_of", lambda pids: None)
    monkeypatch.setattr(memory, "gpu_used_mib", lambda: 500.0)
    with memory.MemoryWatch(os.getpid(), gpu_before_mib=180.0) as watch:
        time.sleep(0.1)
    assert watch.gpu_mib == 320.0


def test_a_driver_that_hangs_does_not_keep_the_call(monkeypatch: pytest.MonkeyPatch) -> None:
    hangs = threading.Event()
    monkeypatch.setattr(memory, "cards", lambda: ("card",))
    monkeypatch.setattr(memory, "gpu_mib_of", lambda pids: hangs.wait(30) and None)
    monkeypatch.setattr(memory, "GPU_QUERY_LIMIT_S", 0.1)
    began = time.monotonic()
    with memory.MemoryWatch(os.getpid(), gpu_before_mib=180.0) as watch:
        pass
    hangs.set()
    assert time.monotonic() - began < 20
    assert watch.gpu_mib is None


@pytest.mark.slow
def test_memory_that_grows_in_a_call_is_seen_and_none_after_it() -> None:
    with memory.MemoryWatch(os.getppid()) as watch:  # the test's own process is its child, or a later one
        held = bytearray(64 << 20)
        held[::4096] = b"x" * len(held[::4096])
        time.sleep(3 * memory.PERIOD_S)
        del held
    assert watch.peak_mib is not None
    assert watch.peak_mib > 64
    seen = watch.peak_mib
    watch.sample()
    assert watch.peak_mib == seen


def test_nothing_is_watched_without_a_process() -> None:
    with memory.MemoryWatch(None) as watch:
        pass
    assert watch.peak_mib is None
