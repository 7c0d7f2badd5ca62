"""Ctrl-C and SIGTERM become messages, and only for a while."""

from __future__ import annotations

import queue
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

import penstock
from penstock.tekton.signals import signals_as_messages

BORN = {"handled": "signal.default_int_handler", "ignored": "signal.SIG_IGN"}
"""A program that a shell without job control starts by ``&``, or ``nohup``, is born with signals ignored."""
PROGRAM = """
import os, queue, signal
from penstock.tekton.signals import signals_as_messages
number, given = int({number}), {given}
signal.signal(number, given)
messages = queue.SimpleQueue()
with signals_as_messages(messages):
    os.kill(os.getpid(), number)
    assert messages.get(timeout=5) == number
assert signal.getsignal(number) is given
print("told and put back")
"""


@pytest.mark.parametrize("given", BORN.values(), ids=BORN)
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signal_is_a_message_while_it_lasts(number: int, given: str) -> None:
    # in a program of its own: a signal that is not caught would end the tests
    program = PROGRAM.format(number=number, given=given)
    ended = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        env={"PYTHONPATH": str(Path(penstock.__file__).parent.parent)},
        timeout=60,
    )
    assert ended.stdout == "told and put back\n", ended.stderr


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
