"""Ctrl-C and SIGTERM become messages, and only for a while."""

from __future__ import annotations

import os
import queue
import signal
import threading
from typing import Any

import pytest

from penstock.tekton.signals import signals_as_messages


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signal_is_a_message_while_it_lasts(number: int) -> None:
    before = signal.getsignal(number)
    messages: queue.SimpleQueue[Any] = queue.SimpleQueue()
    with signals_as_messages(messages):
        os.kill(os.getpid(), number)
        assert messages.get(timeout=5) == number
    assert signal.getsignal(number) is before


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
