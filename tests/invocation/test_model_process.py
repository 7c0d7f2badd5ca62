"""Processes: confined, bounded, and ended for certain."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import subprocess
import sys
import tempfile
import textwrap
import threading
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from penstock.contract.policy import Level
from penstock.foundation.errors import UsageError, WorldError
from penstock.invocation import launch, memory
from penstock.invocation import model_process as process_module
from penstock.invocation.landlock import landlock_abi
from penstock.invocation.launch import descendants
from penstock.invocation.log import BoundedLog
from penstock.invocation.model_process import Exit, ModelProcess, describe_exit
from penstock.invocation.sandbox import Sandbox, connect_ports

Run = Callable[..., tuple[Exit | None, str]]

STUBBORN = """
    import os, signal, time
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    for _ in range(3):
        if os.fork() == 0:
            os.setsid()
            if os.fork() == 0:
                signal.signal(signal.SIGTERM, signal.SIG_IGN)
                time.sleep(600)
            os._exit(0)
        os.wait()
    print("up", flush=True)
    time.sleep(600)
"""


@pytest.fixture
def sandbox(tmp_path: Path) -> Sandbox:
    (tmp_path / "source").mkdir()
    return Sandbox(source=tmp_path / "source", scratch=tmp_path / "scratch")


@pytest.fixture
def run(tmp_path: Path, sandbox: Sandbox) -> Run:
    """Run a Python text as the model and return how it ended and its log."""

    def go(text: str, box: Sandbox = sandbox, *, port: int | None = None) -> tuple[Exit | None, str]:
        (box.source / "model.py").write_text(textwrap.dedent(text), encoding="utf-8")
        with BoundedLog(tmp_path / "log") as log, ModelProcess(["python", "model.py"], box, log, port=port) as process:
            ended = process.wait(20.0)
            return ended, log.end(100_000)

    return go


def gone(pid: int) -> bool:
    """Whether a process has ended, reaped or not."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 15
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_environment_is_clean(run: Run, monkeypatch: pytest.MonkeyPatch, sandbox: Sandbox, tmp_path: Path) -> None:
    for name in ("AWS_SECRET_ACCESS_KEY", "KUBECONFIG", "GIT_ASKPASS", "MY_TOKEN", "PYTHONPATH"):
        monkeypatch.setenv(name, "secret")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")
    environment = {"MODE": "fast", "HOME": "/elsewhere", "PORT": "1", "LD_PRELOAD": "/nowhere.so"}
    box = Sandbox(source=sandbox.source, scratch=sandbox.scratch, environment=environment)
    _, log = run("import json, os; print(json.dumps(dict(os.environ)))", box, port=24_000)
    seen = json.loads(log.splitlines()[-1])
    assert "secret" not in seen.values()
    assert (seen["MODE"], seen["PORT"], seen["CUDA_VISIBLE_DEVICES"]) == ("fast", "24000", "0")
    assert seen["HOME"] == str(tmp_path / "scratch" / "home")
    assert seen["TMPDIR"] == str(tmp_path / "scratch" / "tmp")


def test_python_is_that_of_penstock_in_the_source_directory(run: Run, sandbox: Sandbox) -> None:
    ended, log = run("import numpy, os, sys; print(sys.prefix, os.getcwd(), sys.stdin.read() == ''); sys.exit(7)")
    assert ended is not None
    assert ended.code == 7
    assert ended.max_rss_mib > 5
    assert log == f"{sys.prefix} {sandbox.source} True"


def test_landlock_confines(run: Run, sandbox: Sandbox, tmp_path: Path) -> None:
    assert landlock_abi() >= 6, "these tests need a kernel with Landlock"

    private = tmp_path / "bundle" / "run.json"
    private.parent.mkdir()
    private.write_text("{}", encoding="utf-8")
    shared = tmp_path / "inputs"
    shared.mkdir()
    (shared / "a.png").write_text("a", encoding="utf-8")
    box = Sandbox(source=sandbox.source, scratch=sandbox.scratch, readable=(shared,))
    text = f"""
        import multiprocessing, os, signal, socket, tempfile
        def attempt(name, action):
            try:
                action()
                print(name, "allowed")
            except OSError as error:
                print(name, "refused")
        attempt("write-scratch", lambda: tempfile.NamedTemporaryFile())
        attempt("read-inputs", lambda: open({str(shared / "a.png")!r}).read())
        attempt("workers", lambda: multiprocessing.Pool(2).map(abs, [-1]))
        listener = socket.socket()
        attempt("bind-own", lambda: listener.bind(("127.0.0.1", {24_001})))
        attempt("bind-other", lambda: socket.socket().bind(("127.0.0.1", 24002)))
        listener.listen()
        attempt("connect", lambda: socket.create_connection(("127.0.0.1", 24001), timeout=2))
        attempt("read-bundle", lambda: open({str(private)!r}).read())
        attempt("write-bundle", lambda: open({str(private)!r}, "w"))
        attempt("remove-bundle", lambda: os.unlink({str(private)!r}))
        attempt("write-source", lambda: open("x", "w"))
        attempt("list-home", lambda: os.listdir({str(Path.home())!r}))
        attempt("write-beside", lambda: open({str(tmp_path / "y")!r}, "w"))
        attempt("kill-launcher", lambda: os.kill(os.getppid(), signal.SIGKILL))
        attempt("device", lambda: os.mknod(os.environ["TMPDIR"] + "/d", 0o20666, os.makedev(1, 1)))
    """
    _, log = run(text, box, port=24_001)
    said = dict(line.split() for line in log.splitlines())
    allowed = {"write-scratch", "read-inputs", "workers", "bind-own"}
    assert {name for name, answer in said.items() if answer == "allowed"} == allowed
    assert len(said) == 14
    assert private.read_text(encoding="utf-8") == "{}"


def test_named_hosts_open_the_ports_of_the_web_only() -> None:
    assert connect_ports(()) == []
    assert connect_ports(("example.org", "models.example.org:8443")) == [53, 80, 443, 8443]
    with pytest.raises(UsageError, match="is not a host or host:port"):
        connect_ports(("example.org:http",))


def test_stubborn_tree_is_killed(tmp_path: Path, sandbox: Sandbox) -> None:
    (sandbox.source / "model.py").write_text(textwrap.dedent(STUBBORN), encoding="utf-8")
    with (
        BoundedLog(tmp_path / "log") as log,
        ModelProcess(["python", "model.py"], sandbox, log, grace_s=0.2) as process,
    ):
        wait_for(lambda: log.end() == "up" and len(descendants(process.supervisor)) == 4)
        tree = descendants(process.supervisor)
        assert process.running()
        process.stop()
    assert all(map(gone, tree))


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


def test_launcher_that_is_killed_takes_the_model_along(tmp_path: Path, sandbox: Sandbox) -> None:
    (sandbox.source / "model.py").write_text("import time; print('up', flush=True); time.sleep(600)", encoding="utf-8")
    with BoundedLog(tmp_path / "log") as log, ModelProcess(["python", "model.py"], sandbox, log) as process:
        wait_for(lambda: log.end() == "up")
        (model,) = descendants(process.supervisor)
        os.kill(process.supervisor, signal.SIGKILL)
        ended = process.wait(10.0)
        assert ended is not None
        assert ended.code == -9
        wait_for(lambda: gone(model))


@pytest.mark.parametrize(
    ("program", "message"),
    [
        ("no-such-program", "cannot run 'no-such-program': No such file or directory"),
        ("/etc/passwd", "cannot run '/etc/passwd': Permission denied"),
        ("nul\0byte", r"embedded null"),
    ],
)
def test_program_that_cannot_be_run(tmp_path: Path, sandbox: Sandbox, program: str, message: str) -> None:
    with BoundedLog(tmp_path / "log") as log, pytest.raises(WorldError, match=message):
        ModelProcess([program], sandbox, log)


def test_directory_that_is_gone(tmp_path: Path) -> None:
    box = Sandbox(source=tmp_path / "gone", scratch=tmp_path / "scratch")
    with BoundedLog(tmp_path / "log") as log, pytest.raises(WorldError, match="cannot enter the directory"):
        ModelProcess(["python"], box, log)


def test_exit_is_described() -> None:
    assert describe_exit(3) == "exited with code 3"
    assert describe_exit(-11) == "exited with code -11 (SIGSEGV)"
    assert describe_exit(-99) == "exited with code -99"


def test_log_keeps_both_ends(tmp_path: Path) -> None:
    with BoundedLog(tmp_path / "log", head_bytes=10, tail_bytes=10) as log:
        for start in range(0, 100, 7):
            log.write(b"".join(b"%02d" % number for number in range(start, min(start + 7, 100))))
        assert log.end().endswith("979899")
    assert (tmp_path / "log").read_text(encoding="utf-8") == (
        "0001020304\n[penstock] 180 bytes of log were dropped here\n9596979899"
    )


def test_log_is_safe_to_print_and_speaks_of_the_last_call(tmp_path: Path) -> None:
    with BoundedLog(tmp_path / "log") as log:
        log.write(b"before\n")
        log.mark()
        assert log.end() == "(empty)"
        log.note("case one")
        log.write(b"\x1b[31mred\xff\n\n")
        assert log.end() == "\\x1b[31mred\ufffd"
    with BoundedLog(tmp_path / "log") as log:
        log.write(b"resumed\n")
    assert "resumed" in (tmp_path / "log").read_text(encoding="utf-8", errors="replace")


def test_last_line_of_a_log_is_shown_whole(tmp_path: Path) -> None:
    last = "ModuleNotFoundError: No module named 'torch', looked for in " + ", ".join(f"/env/{n}" for n in range(200))
    with BoundedLog(tmp_path / "log") as log:
        log.write(b"Traceback (most recent call last):\n" + b"x" * 500 + b"\n" + last.encode() + b"\n")
        assert log.end() == last
        assert log.end(10_000).startswith("Traceback")
        log.write(b"a" * 590 + b"\nshort\n")
        assert log.end() == "a" * 590 + "\nshort"
        log.write(b"y" * 20_000 + b"\n")
        assert log.end().startswith("…yyy")


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
    assert time.monotonic() - began < 5
    assert watch.gpu_mib is None
