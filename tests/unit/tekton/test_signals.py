"""Ctrl-C and SIGTERM become messages, and only for a while."""

from __future__ import annotations

import os
import queue
import signal
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from penstock.tekton.signals import signals_as_messages

IGNORED_TOO = [signal.default_int_handler, signal.SIG_IGN]
"""A program that a shell without job control starts by ``&``, or ``nohup``, is born with signals ignored."""


@pytest.fixture
def disposition() -> Iterator[None]:
    """Whatever this process was started with is put back."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.usefixtures("disposition")
@pytest.mark.parametrize("given", IGNORED_TOO, ids=["handled", "ignored"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signal_is_a_message_while_it_lasts(number: int, given: Any) -> None:
    signal.signal(number, given)
    messages: queue.SimpleQueue[Any] = queue.SimpleQueue()
    with signals_as_messages(messages):
        os.kill(os.getpid(), number)
        assert messages.get(timeout=5) == number
    assert signal.getsignal(number) is given


def test_other_threads_change_nothing() -> None:
    before = signal.getsignal(signal.SIGINT)
    seen: list[object] = []

    def look() -> None:
        with signals_as_messages(queue.SimpleQueue()):
            seen.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=look)
    thread.start()
    thread.join()
    assert seen == [before]
