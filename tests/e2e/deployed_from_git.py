"""A deployment repository that takes pushes over HTTP, and what applies its branch: as Argo CD does, in ten lines."""

from __future__ import annotations

import os
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tests.e2e.facts import Facts

FILE = "apps/sonic.yaml"
LOOK_S = 1.0


def git(folder: Path, *arguments: str) -> str:
    """A program of git; returns what it printed."""
    identity = ["-c", "user.name=ops", "-c", "user.email=ops@localhost", "-c", "init.defaultBranch=main"]
    done = subprocess.run(["git", *identity, *arguments], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def make_repository(folder: Path, content: str) -> Path:
    """A bare one whose branch ``main`` has the file."""
    bare, ops = folder / "deploy.git", folder / "ops"
    git(folder, "init", "--quiet", "--bare", str(bare))
    git(folder, "clone", "--quiet", str(bare), str(ops))
    (ops / FILE).parent.mkdir()
    (ops / FILE).write_text(content)
    git(ops, "add", ".")
    git(ops, "commit", "--quiet", "-m", "sonic")
    git(ops, "push", "--quiet", "origin", "HEAD:refs/heads/main")
    git(bare, "config", "http.receivepack", "true")
    return bare


def subjects(bare: Path) -> list[str]:
    """The first lines of the branch's commits, the newest first."""
    return git(bare, "log", "--format=%s", "main").splitlines()


@contextmanager
def served(bare: Path, host: str) -> Iterator[str]:
    """``git http-backend`` for one repository, without a login; returns its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            said = {
                "GIT_PROJECT_ROOT": str(bare.parent),
                "GIT_HTTP_EXPORT_ALL": "1",
                "PATH_INFO": parts.path,
                "QUERY_STRING": parts.query,
                "REQUEST_METHOD": self.command,
                "CONTENT_TYPE": self.headers.get("Content-Type", ""),
                "CONTENT_LENGTH": str(len(body)),
                "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
            }
            done = subprocess.run(
                ["git", "http-backend"], input=body, capture_output=True, env=os.environ | said, check=False
            )
            head, _, content = done.stdout.partition(b"\r\n\r\n")
            fields = [line.partition(": ") for line in head.decode().split("\r\n") if line]
            status = next((int(value.split()[0]) for name, _, value in fields if name == "Status"), 200)
            self.send_response(status)
            for name, _, value in fields:
                if name != "Status":
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def do_POST(self) -> None:
            self.do_GET()

        def log_message(self, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer((host, 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://{host}:{server.server_address[1]}/{bare.name}"
    finally:
        server.shutdown()
        server.server_close()


@contextmanager
def applied(facts: Facts, namespace: str, bare: Path) -> Iterator[None]:
    """What the branch says is on the cluster, at the latest a second later."""
    over, last = threading.Event(), [""]

    def work() -> None:
        while True:
            commit = git(bare, "rev-parse", "main")
            if commit != last[0]:
                content = git(bare, "show", f"{commit}:{FILE}")
                facts.kubectl("apply", "--namespace", namespace, "--filename", "-", stdin=content)
                last[0] = commit
            if over.wait(LOOK_S):
                return

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
