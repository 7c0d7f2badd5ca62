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
