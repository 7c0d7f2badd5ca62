"""The small program between the runner and a step."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest
from tests.unit.tekton.marked_processes import go, left


def test_a_runner_that_is_killed_takes_its_processes_along(tmp_path):
    code = (
        "import os, sys; from pathlib import Path; from penstock.tekton.supervisor import *;"
        "run_command(Command(['sh', '-c', 'setsid sleep 600 & sleep 600'],"
        " {'PATH': os.environ['PATH'], 'MARK': sys.argv[1]}, Path('/')), sink=print, stop=Stop())"
    )
    runner = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)])
    try:
        for _ in range(500):
            if len(left(tmp_path)) >= 2:
                break
            time.sleep(0.01)
        assert len(left(tmp_path)) >= 2
    finally:
        runner.send_signal(signal.SIGKILL)
        runner.wait()
    for _ in range(500):
        if not left(tmp_path):
            break
        time.sleep(0.01)
    assert left(tmp_path) == []


@pytest.mark.slow
def test_signals_to_the_whole_group_do_not_reach_the_program_that_watches_a_step(tmp_path):
    """Ctrl-C goes to every process of the terminal's group: also to one that is just being started."""
    code = (
        "import os, signal; from pathlib import Path; from penstock.tekton.supervisor import *;"
        "[signal.signal(number, lambda *_: None) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)];"
        "print('ready', flush=True);"
        "command = Command(['true'], {'PATH': os.environ['PATH']}, Path('/'));"
        "print([str(run_command(command, sink=print, stop=Stop()).ending) for _ in range(20)])"
    )
    runner = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    with runner:
        assert runner.stdout is not None
        assert runner.stdout.readline() == "ready\n"
        while runner.poll() is None:
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                os.killpg(runner.pid, number)
        stdout, stderr = runner.communicate()
    assert stdout.split() == str(["exited"] * 20).split(), stderr


def test_a_step_begins_with_no_signal_blocked(tmp_path):
    outcome, output = go(tmp_path, "grep SigBlk /proc/self/status")
    assert (outcome.exit_code, output.split()) == (0, [b"SigBlk:", b"0" * 16])
