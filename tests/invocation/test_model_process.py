"""Processes: confined, bounded, and ended for certain."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
import tempfile
import textwrap
import time
from pathlib import Path

import pytest
from tests.invocation.conftest import Run
from tests.invocation.stubborn_processes import STUBBORN, gone, wait_for

from penstock.contract.policy import Level
from penstock.invocation import launch, memory
from penstock.invocation import model_process as process_module
from penstock.invocation.launch import descendants
from penstock.invocation.log import BoundedLog
from penstock.invocation.model_process import ModelProcess
from penstock.invocation.sandbox import Sandbox


def test_python_is_that_of_penstock_in_the_source_directory(run: Run, sandbox: Sandbox) -> None:
    ended, log = run("import numpy, os, sys; print(sys.prefix, os.getcwd(), sys.stdin.read() == ''); sys.exit(7)")
    assert ended is not None
    assert ended.code == 7
    assert ended.max_rss_mib > 5
    assert log == f"{sys.prefix} {sandbox.source} True"


def test_nothing_outlives_a_penstock_that_was_killed(tmp_path: Path, sandbox: Sandbox) -> None:
    (sandbox.source / "model.py").write_text(textwrap.dedent(STUBBORN), encoding="utf-8")
    parent = f"""
        import time
        from pathlib import Path
        from penstock.invocation.log import BoundedLog
        from penstock.invocation.model_process import ModelProcess
        from penstock.invocation.sandbox import Sandbox
        log = BoundedLog(Path({str(tmp_path / "log")!r}))
        box = Sandbox(source=Path({str(sandbox.source)!r}), scratch=Path({str(sandbox.scratch)!r}))
        process = ModelProcess(["python", "model.py"], box, log, grace_s=0.2)
        while log.end() != "up":
            time.sleep(0.02)
        print("up", flush=True)
        time.sleep(600)
    """
    command = [sys.executable, "-c", textwrap.dedent(parent)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=dict(os.environ, PYTHONPATH="src")) as penstock:
        assert penstock.stdout is not None
        assert penstock.stdout.readline() == b"up\n"
        tree = descendants(penstock.pid)
        penstock.send_signal(signal.SIGKILL)
    assert len(tree) >= 5
    wait_for(lambda: all(map(gone, tree)))


CHAIN = """
    import fcntl, os, time
    held = open(os.environ["TMPDIR"] + "/held", "w")
    fcntl.flock(held, fcntl.LOCK_EX)
    if os.fork() == 0:
        end = time.monotonic() + 30
        while time.monotonic() < end:
            if os.fork():
                os._exit(0)
            time.sleep(0.001)
        os._exit(0)
    print("up", flush=True)
    time.sleep(30)
"""
"""A process that lives for a millisecond and leaves another in its place; the lock is held while one lives."""


@pytest.mark.parametrize("level", ["landlock", "namespaces"])
@pytest.mark.parametrize("stuck", [False, True])
def test_chain_of_processes_is_ended_also_where_the_launcher_is_stuck(
    tmp_path: Path, level: Level, stuck: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(launch, "KILL_LIMIT_S", 0.1)
    if stuck:
        monkeypatch.setattr(process_module, "LAUNCHER_LIMIT_S", 0.1)
    (tmp_path / "source").mkdir()
    (tmp_path / "source" / "model.py").write_text(textwrap.dedent(CHAIN), encoding="utf-8")
    box = Sandbox(source=tmp_path / "source", scratch=tmp_path / "scratch", level=level)
    with BoundedLog(tmp_path / "log") as log, ModelProcess(["python", "model.py"], box, log, grace_s=0.1) as process:
        wait_for(lambda: log.end() == "up")
        if stuck:
            os.kill(process.supervisor, signal.SIGSTOP)
    wait_for(lambda: not locked(box.scratch / "tmp" / "held"))


def locked(path: Path) -> bool:
    """Whether a process holds the file's lock."""
    with path.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


@pytest.mark.parametrize("level", ["landlock", "namespaces"])
def test_launcher_does_not_wait_with_a_model_that_connects_to_itself(tmp_path: Path, level: Level) -> None:
    """Its queue is full, so that the third must wait; what others ask meanwhile is answered."""
    text = """
        import os, socket, threading, time
        listener = socket.socket(socket.AF_UNIX)
        path = os.environ["TMPDIR"] + "/queue"
        listener.bind(path)
        listener.listen(0)
        def connect():
            with socket.socket(socket.AF_UNIX) as made:
                made.connect(path)
                os.write(1, made.recv(2) + b"\\n")  # at once
        waiting = [threading.Thread(target=connect) for _ in range(3)]
        for thread in waiting:
            thread.start()
        time.sleep(0.2)
        other = socket.socket(socket.AF_UNIX)
        other.bind(path + "-2")
        other.listen()
        socket.socket(socket.AF_UNIX).connect(path + "-2")
        full = socket.socket(socket.AF_UNIX)
        full.setblocking(False)
        try:
            full.connect(path)
        except BlockingIOError:
            print("full", flush=True)
        for _ in waiting:
            with listener.accept()[0] as accepted:
                accepted.send(b"ok")
        for thread in waiting:
            thread.join()
    """
    (tmp_path / "source").mkdir()
    (tmp_path / "source" / "model.py").write_text(textwrap.dedent(text), encoding="utf-8")
    with tempfile.TemporaryDirectory(prefix="cage-") as short:  # a Unix socket's path has at most 107 bytes
        box = Sandbox(source=tmp_path / "source", scratch=Path(short) / "s", level=level)
        with (
            BoundedLog(tmp_path / "log") as log,
            ModelProcess(["python", "model.py"], box, log, grace_s=0.1) as process,
        ):
            ended = process.wait(10.0)
            assert ended is not None
            assert ended.code == 0, log.end()
    assert log.end().splitlines() == ["full", "ok", "ok", "ok"]


def test_memory_of_several_processes_is_summed(tmp_path: Path, sandbox: Sandbox) -> None:
    text = """
        import os, time
        block = b"x" * (60 << 20 if os.fork() == 0 else 40 << 20)
        print("up", flush=True)
        time.sleep(600)
    """
    (sandbox.source / "model.py").write_text(textwrap.dedent(text), encoding="utf-8")
    with BoundedLog(tmp_path / "log") as log, ModelProcess(["python", "model.py"], sandbox, log) as process:
        wait_for(lambda: log.end() == "up\nup")
        with memory.MemoryWatch(process.supervisor) as watch:
            time.sleep(0.2)
        assert watch.peak_mib is not None
        assert 100 < watch.peak_mib < 150
        assert all(map(memory.pss_bytes, descendants(process.supervisor)))
    with memory.MemoryWatch(None) as nothing:
        pass
    assert nothing.peak_mib is None
