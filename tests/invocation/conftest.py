"""Small real models: a service and a program that behave as a case's file or the environment tells them to."""

from __future__ import annotations

import os
import textwrap
import venv
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from penstock.contract.models import Case, Contract
from penstock.invocation.launch import descendants
from penstock.invocation.log import BoundedLog
from penstock.invocation.model_process import Exit, ModelProcess
from penstock.invocation.sandbox import Sandbox

Run = Callable[..., tuple[Exit | None, str]]

SERVICE = """
import os, signal, sys, time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
mode = os.environ.get("MODE", "")
if mode == "exits":
    print("no weights found", flush=True)
    sys.exit(3)
if mode == "flood":
    for _ in range(600):
        os.write(1, b"flood of words\\n" * 1000)
if mode == "background" and os.fork(): os._exit(0)
if mode == "deaf": signal.signal(signal.SIGTERM, signal.SIG_IGN)
if mode == "daemon" and os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        open(os.path.join(os.environ["TMPDIR"], "daemon.pid"), "w").write(str(os.getpid()))
        time.sleep(600)
    os._exit(0)
class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def log_message(self, *args): print(*args, flush=True)
    def answer(self, status, kind, body, length=None, **headers):
        self.send_response(status)
        if kind: self.send_header("Content-Type", kind)
        for name, value in headers.items(): self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body) if length is None else length))
        self.end_headers()
        self.wfile.write(body)
    def do_GET(self):
        if mode == "unready": return self.answer(503, "text/plain", b"loading")
        if mode == "silent": time.sleep(600)
        self.answer(200, "text/plain", b"ok")
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        print(sorted(line for line in body.split(b"\\r\\n") if b"filename=" in line), flush=True)
        order = body.partition(b"ORDER:")[2].partition(b"\\r")[0].decode()
        if order and order != "ok": return getattr(self, "on_" + order)()
        self.answer(200, "video/mp4; charset=binary", b"VIDEO" + body[-4000:])
    def on_500(self): self.answer(500, "text/plain", b"out of\\n memory" + b"x" * 5000)
    def on_control(self): self.answer(422, "text/plain", b"\\x1b[2J bad input")
    def on_wrong(self): self.answer(200, "application/json", b"{}")
    def on_empty(self): self.answer(200, "video/mp4", b"")
    def on_cut(self):
        self.answer(200, "video/mp4", b"half", length=1000)
        self.close_connection = True
    def on_redirect(self): self.answer(302, None, b"", Location="http://127.0.0.1:1/")
    def on_gzip(self): self.answer(200, "video/mp4", b"squeezed", Content_Encoding="gzip")
    def on_hang(self): time.sleep(600)
    def on_die(self):
        print("CUDA error: device lost", flush=True)
        os._exit(5)
    def on_abort(self): os.abort()
    def on_big(self):
        block = bytearray(os.urandom(1 << 20) * 120)
        del block
        self.answer(200, "video/mp4", b"VIDEO")
    def on_drip(self):
        self.send_response(200)
        self.send_header("Content-Type", "video/mp4")
        self.send_header("Content-Length", "100000")
        self.end_headers()
        while True:
            self.wfile.write(b"x")
            self.wfile.flush()
            time.sleep(0.05)
    def on_escape(self):
        target = os.environ["ESCAPE"]
        try:
            open(target, "w").write("outside")
        except OSError as error:
            print("refused:", error, flush=True)
            return self.answer(500, "text/plain", str(error).encode())
        self.answer(200, "video/mp4", b"VIDEO")
ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""

PROGRAM = """
import os, subprocess, sys, time
order, text, output = sys.argv[1], open(sys.argv[2]).read(), sys.argv[3]
open(os.path.join(os.path.dirname(output), "stray.txt"), "w").write("not collected")
if order == "ok": open(output, "w").write("VIDEO" + text)
if order == "fail":
    print("Traceback: bad portrait")
    sys.exit(9)
if order == "nothing": pass
if order == "empty": open(output, "w")
if order == "link": os.symlink("/etc/passwd", output)
if order == "pipe": os.mkfifo(output)
if order == "folder": os.mkdir(output)
if order == "hang": time.sleep(600)
if order == "daemon":
    subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True)
    open(output, "w").write("VIDEO")
if order == "escape":
    open(os.environ["ESCAPE"], "w").write("outside")
"""


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    source = tmp_path / "source"
    source.mkdir()
    (source / "service.py").write_text(textwrap.dedent(SERVICE), encoding="utf-8")
    (source / "program.py").write_text(PROGRAM, encoding="utf-8")
    return source


def contract_of(call: dict[str, Any]) -> Contract:
    return Contract.model_validate(
        {
            "version": 1,
            "name": "tiny",
            "family": "talking-head",
            "call": call,
            "suite": "suite",
            "policy": {"rules": [{"metric": "latency", "max": 100}]},
        }
    )


@pytest.fixture
def service_contract() -> Callable[..., Contract]:
    def make(mode: str = "", *, ready_timeout_s: float = 20.0, **env: str) -> Contract:
        http = {
            "argv": ["python", "service.py", "{port}"],
            "ready_timeout_s": ready_timeout_s,
            "path": "/generate",
            "files": {"image": "image"},
            "fields": {"duration": "{duration}"},
            "response": "video/mp4",
        }
        return contract_of({"http": http, "env": {"MODE": mode, **env}})

    return make


@pytest.fixture
def program_contract() -> Callable[..., Contract]:
    def make(**env: str) -> Contract:
        return contract_of(
            {"command": {"argv": ["python", "program.py", "{order}", "{image}", "{output}"]}, "env": env}
        )

    return make


@pytest.fixture
def case(tmp_path: Path) -> Callable[[str], tuple[Case, dict[str, Path]]]:
    def make(order: str = "ok") -> tuple[Case, dict[str, Path]]:
        folder = tmp_path / "inputs"
        folder.mkdir(exist_ok=True)
        path = folder / f"Porträt-{order}.png"
        path.write_text(f"ORDER:{order}", encoding="utf-8")
        made = Case.model_validate(
            {"name": f"case-{order}", "inputs": {"image": path.name}, "parameters": {"duration": 1.5, "order": order}}
        )
        return made, {"image": path}

    return make


@pytest.fixture(autouse=True)
def no_process_is_left() -> Iterator[None]:
    before = set(descendants(os.getpid()))
    yield
    left = set(descendants(os.getpid())) - before
    # what an earlier test's process, which lives on, has started meanwhile
    assert not left - {pid for other in before for pid in descendants(other)}


@pytest.fixture
def made(tmp_path: Path) -> Path:
    """A virtual environment with a package of its own, and a program."""
    prefix = tmp_path / "user" / "env"
    venv.create(prefix, symlinks=True, with_pip=False)
    (packages,) = prefix.glob("lib/python3*/site-packages")
    (packages / "their_torch.py").write_text("VERSION = '9'", encoding="utf-8")
    (packages / "their_torch-9.dist-info").mkdir()
    program = prefix / "bin" / "serve"
    program.write_text(f"#!{prefix}/bin/python\nimport their_torch\nprint('serving', their_torch.VERSION)\n")
    program.chmod(0o755)
    return prefix


@pytest.fixture
def sandbox(tmp_path: Path) -> Sandbox:
    """An empty source directory, and a place to write."""
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
