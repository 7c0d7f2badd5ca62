"""A hostile model at each level: what is held, what is open, and that docs/security.md says so."""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import re
import secrets
import socket
import subprocess
import sys
import tempfile
import textwrap
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.invocation.attempts import ALLOWED, ATTEMPTS, LEVELS, program

from penstock.invocation.bubblewrap import bubblewrap
from penstock.invocation.log import BoundedLog
from penstock.invocation.model_process import ModelProcess
from penstock.invocation.sandbox import Sandbox

SECURITY = Path(__file__).parents[2] / "docs" / "security.md"
WORDS = {True: "held", False: "**open**"}


class Outside:
    """What belongs to the user: files, services, a process, shared memory."""

    def __init__(self, folder: Path, stack: contextlib.ExitStack) -> None:
        self.outside, self.source = folder / "outside", folder / "source"
        for path in (self.outside, self.source):
            path.mkdir()
        for path in (self.outside / "private", self.outside / "removable", self.source / "readable.txt"):
            path.write_text("x", encoding="utf-8")
            path.chmod(0o644)
        tcp = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        udp = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        udp.bind(("127.0.0.1", 0))
        threading.Thread(target=self._echo, args=(udp,), daemon=True).start()
        abstract = f"penstock-{secrets.token_hex(4)}"
        for name in (str(self.outside / "service.sock"), str(self.source / "service.sock"), f"\0{abstract}"):
            listener = stack.enter_context(socket.socket(socket.AF_UNIX))
            listener.bind(name)
            listener.listen()
        log = stack.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM))
        log.bind(str(self.outside / "log.sock"))
        other = subprocess.Popen(
            [sys.executable, "-c", "import signal; signal.signal(10, lambda *_: 0); print(flush=True); input()"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        stack.callback(other.wait)
        stack.callback(other.kill)
        assert other.stdout is not None
        other.stdout.readline()
        library = ctypes.CDLL(None)
        segment = library.shmget(0, 4096, 0o1666)
        stack.callback(library.shmctl, segment, 0, None)
        token = secrets.token_hex(4)
        shared = Path("/dev/shm") / f"theirs-{token}"
        shared.write_text("x", encoding="utf-8")
        stack.callback(shared.unlink)
        self.left = Path("/dev/shm") / f"left-{token}"
        stack.callback(lambda: self.left.unlink(missing_ok=True))
        self.known: dict[str, Any] = {
            "OUTSIDE": str(self.outside),
            "SOURCE": str(self.source),
            "PORT": tcp.getsockname()[1],
            "UDP_PORT": udp.getsockname()[1],
            "ABSTRACT": abstract,
            "PID": other.pid,
            "PENSTOCK": os.getpid(),
            "ADDRESS": id(self),
            "SEGMENT": segment,
            "KEY": secrets.randbits(30),
            "SHARED": shared.name,
            "LEFT": self.left.name,
        }

    @staticmethod
    def _echo(server: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                data, sender = server.recvfrom(100)
                server.sendto(data, sender)


@pytest.fixture
def stack() -> Iterator[contextlib.ExitStack]:
    with contextlib.ExitStack() as made:
        yield made


@pytest.fixture
def outside(tmp_path: Path, stack: contextlib.ExitStack) -> Outside:
    return Outside(tmp_path, stack)


def tried(outside: Outside, tmp_path: Path, level: Any) -> tuple[dict[str, str], str]:
    """What came of each attempt at a level, and the model's log."""
    with tempfile.TemporaryDirectory(prefix="cage-") as scratch:  # a Unix socket's path has at most 107 bytes
        return tried_in(Path(scratch) / "s", outside, tmp_path, level)


def tried_in(scratch: Path, outside: Outside, tmp_path: Path, level: Any) -> tuple[dict[str, str], str]:
    box = Sandbox(source=outside.source, scratch=scratch, level=level)
    (outside.source / "model.py").write_text(program(), encoding="utf-8")
    known = outside.known | {"SCRATCH": str(box.scratch / "tmp"), "LEVEL": level}
    argv = ["python3", "model.py", json.dumps(known)]
    with BoundedLog(tmp_path / "log") as log, ModelProcess(argv, box, log) as process:
        ended = process.wait(60.0)
        text = (tmp_path / "log").read_text(encoding="utf-8")
        assert ended is not None
        assert ended.code == 0, text
    return json.loads(text.splitlines()[-1]), text


def expected(level: str) -> dict[str, str]:
    """What must come of each attempt, for the user of the tests."""
    root = os.getuid() == 0
    answers = {}
    for attempt in ATTEMPTS:
        held = attempt.held_as_root if root and attempt.held_as_root is not None else attempt.held
        answers[attempt.what] = "held" if level in held or (attempt.root and not root) else "open"
    return answers | {what: "open" for what, _ in ALLOWED}


def test_each_attempt_succeeds_where_nothing_is_confined(outside: Outside, stack: contextlib.ExitStack) -> None:
    """Else it would be no attempt."""
    scratch = stack.enter_context(tempfile.TemporaryDirectory(prefix="cage-"))
    (outside.source / "model.py").write_text(program(), encoding="utf-8")
    known = outside.known | {"SCRATCH": scratch, "LEVEL": ""}
    command = [sys.executable, "model.py", json.dumps(known)]
    done = subprocess.run(command, cwd=outside.source, capture_output=True, text=True, timeout=60, check=True)
    said = json.loads(done.stdout.splitlines()[-1])
    roots = {attempt.what for attempt in ATTEMPTS if attempt.root}
    refused = {what for what, answer in said.items() if answer != "open"}
    assert refused <= roots, done.stdout


@pytest.mark.parametrize("level", LEVELS)
def test_each_attempt_ends_as_the_table_says(outside: Outside, tmp_path: Path, level: str) -> None:
    assert bubblewrap() is not None, "these tests need bubblewrap"
    said, log = tried(outside, tmp_path, level)
    assert said == expected(level), log
    assert outside.left.exists() == (level != "namespaces")
    assert (outside.outside / "private").stat().st_mode & 0o777 == 0o644
    assert (outside.source / "readable.txt").stat().st_mode & 0o777 == 0o644
    assert not list(outside.source.glob("planted.py")) or level == "none"


@pytest.mark.parametrize("level", ["landlock", "namespaces"])
def test_hosts_that_are_named_are_reached_and_no_others(outside: Outside, tmp_path: Path, level: Any) -> None:
    """Blocking and not, with the options that the socket had; the record says that the network is shared."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        text = f"""
            import asyncio, socket
            made = socket.socket()
            made.settimeout(5)
            made.connect(("127.0.0.1", {outside.known["PORT"]}))
            again = socket.create_connection(made.getpeername())
            print(made.getpeername() == again.getpeername(), made.gettimeout(), again.getblocking())
            async def reach(port):
                await asyncio.open_connection("127.0.0.1", port)
            asyncio.run(reach({outside.known["PORT"]}))
            try:
                asyncio.run(reach({other.getsockname()[1]}))
            except PermissionError:
                print("refused")
            datagram = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            datagram.connect(("127.0.0.1", {outside.known["UDP_PORT"]}))
            datagram.send(b"ping")
            print(datagram.recv(10))
        """
        (outside.source / "model.py").write_text(textwrap.dedent(text), encoding="utf-8")
        named = (f"127.0.0.1:{outside.known['PORT']}",)
        box = Sandbox(source=outside.source, scratch=tmp_path / "scratch", level=level, network=named)
        with BoundedLog(tmp_path / "log") as log, ModelProcess(["python3", "model.py"], box, log) as process:
            ended = process.wait(30.0)
            assert log.end().splitlines() == ["True 5.0 True", "refused", "b'ping'"]
    assert ended is not None
    assert ended.code == 0
    assert box.isolation.level == level
    assert box.isolation.how.endswith("network shared with this machine for call.network")


def test_the_page_has_each_row() -> None:
    rows = re.findall(r"^\| (.+?) \| (.+?) \| (.+?) \| (.+?) \|$", SECURITY.read_text(encoding="utf-8"), re.MULTILINE)
    table = {row[0]: row[1:] for row in rows if set(row[1:]) <= set(WORDS.values())}
    assert table == {attempt.what: tuple(WORDS[level in attempt.held] for level in LEVELS) for attempt in ATTEMPTS}
