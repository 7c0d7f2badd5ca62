"""Deadlines come in their order, once, and not where they were called off."""

from __future__ import annotations

import threading

import pytest

from penstock.invocation.deadlines import Deadlines


def test_each_comes_once_in_the_order_of_its_time() -> None:
    deadlines, come, last = Deadlines(), list[str](), threading.Event()
    deadlines.set(0.2, lambda: come.append("late"))
    deadlines.set(0.3, last.set)
    deadlines.set(0.05, lambda: come.append("early"))
    off = deadlines.set(0.1, lambda: come.append("called off"))
    off.call_off()
    assert last.wait(10)
    assert come == ["early", "late"]


def test_one_thread_serves_all(monkeypatch: pytest.MonkeyPatch) -> None:
    deadlines, started = Deadlines(), list[threading.Thread]()
    start = threading.Thread.start
    monkeypatch.setattr(threading.Thread, "start", lambda self: (started.append(self), start(self))[1])
    for _ in range(100):
        deadlines.set(60.0, lambda: None).call_off()
    assert len(started) == 1
    come = threading.Event()
    deadlines.set(0.01, come.set)  # sooner than what the thread waits for
    assert come.wait(10)
    assert len(started) == 1


def test_what_was_called_off_is_let_go() -> None:
    class Held:
        def __call__(self) -> None: ...

    deadlines = Deadlines()
    deadline = deadlines.set(60.0, Held())
    assert isinstance(deadline.act, Held)
    deadline.call_off()
    assert deadline.act is None
