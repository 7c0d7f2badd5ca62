"""One command to its end: nothing of it stays behind, whatever happens."""

from __future__ import annotations

import os
import threading
import time

import pytest
from tests.unit.tekton.marked_processes import go, left

from penstock.tekton.supervisor import Command, Ending, Stop, run_command


def test_output_and_exit_code(tmp_path):
    outcome, output = go(tmp_path, "echo out; echo err >&2; pwd; exit 3")
    assert (outcome.ending, outcome.exit_code) == (Ending.EXITED, 3)
    assert sorted(output.decode().split()) == sorted(["out", "err", str(tmp_path)])


def test_what_detaches_itself_dies_with_the_step(tmp_path):
    outcome, _ = go(
        tmp_path, "setsid sh -c 'trap \"\" TERM HUP; sleep 600 & sleep 600' >/dev/null 2>&1 & sleep 0.1; exit 0"
    )
    assert outcome.exit_code == 0
    assert left(tmp_path) == []


@pytest.mark.slow
def test_a_deadline_and_a_process_that_does_not_listen(tmp_path):
    outcome, output = go(
        tmp_path,
        'trap "echo told" TERM; sleep 600 & while :; do wait; done',
        deadline=time.monotonic() + 1.5,  # on a busy machine, a shell is not there at once
        grace_s=1.0,
    )
    assert outcome.ending is Ending.TIMED_OUT
    assert b"told" in output
    assert left(tmp_path) == []


def test_a_request_to_stop(tmp_path):
    stop = Stop()
    threading.Timer(0.2, stop.set, ["enough"]).start()
    outcome, _ = go(tmp_path, "sleep 600", stop=stop)
    assert outcome.ending is Ending.STOPPED
    assert left(tmp_path) == []


@pytest.mark.slow
def test_a_process_that_forks_without_end_is_ended(tmp_path):
    script = 'while :; do sh -c "sleep 600" & sleep 0.005; done'
    outcome, _ = go(tmp_path, script, deadline=time.monotonic() + 0.3, grace_s=0.1)
    assert outcome.ending is Ending.TIMED_OUT
    assert left(tmp_path) == []


@pytest.mark.parametrize("argv", [["no-such-program"], ["/etc/hostname"], ["/nonexistent/x"], ["a\0b"]])
def test_what_cannot_be_started(tmp_path, argv):
    command = Command(argv, {"PATH": os.environ["PATH"]}, tmp_path)
    outcome = run_command(command, sink=lambda _stream, _data: None, stop=Stop())
    assert (outcome.ending, outcome.exit_code) == (Ending.NOT_STARTED, 1)
    assert outcome.error
