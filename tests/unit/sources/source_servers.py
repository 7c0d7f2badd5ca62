"""Real git repositories, a real git server, and an HTTP server that misbehaves as told, all on loopback."""

from __future__ import annotations

import base64
import os
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path

GIT_ENV = {
    "PATH": os.environ["PATH"],
    "HOME": "/nonexistent",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_AUTHOR_NAME": "A",
    "GIT_AUTHOR_EMAIL": "a@example.org",
    "GIT_COMMITTER_NAME": "C",
    "GIT_COMMITTER_EMAIL": "c@example.org",
    "GIT_AUTHOR_DATE": "2024-05-01T10:00:00+02:00",
    "GIT_COMMITTER_DATE": "2024-05-01T10:00:00+02:00",
}


def git(directory: Path, *arguments: str) -> str:
    """Run git in a test's own repository."""
    done = subprocess.run(["git", *arguments], cwd=directory, env=GIT_ENV, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def commit(repository: Path, files: dict[str, str | bytes], message: str = "change") -> str:
    """Write files, commit them, return the commit."""
    for name, content in files.items():
        path = repository / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    git(repository, "add", "-A")
    git(repository, "commit", "-q", "-m", message)
    return git(repository, "rev-parse", "HEAD")


def new_repository(directory: Path) -> Path:
    """An empty repository with a work tree."""
    directory.mkdir(parents=True)
    git(directory, "init", "-q", "-b", "main")
    return directory


@dataclass
class GitServer:
    """`git http-backend` behind a small web server."""

    url: str
    seen: list[str] = field(default_factory=list)
    """The Authorization headers that came."""


def git_handler(root: Path, login: str | None, server: GitServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *arguments: object) -> None:
            pass

        def do_POST(self) -> None:
            self.do_GET()

        def do_GET(self) -> None:
            given = self.headers.get("Authorization", "")
            if given:
                server.seen.append(given)
            if login is not None and given != "Basic " + base64.b64encode(login.encode()).decode():
                self.send_response(401)
                self.send_header("WWW-Authenticate", 'Basic realm="git"')
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            path, _, query = self.path.partition("?")
            env = GIT_ENV | {
                "GIT_PROJECT_ROOT": str(root),
                "GIT_HTTP_EXPORT_ALL": "1",
                "PATH_INFO": path,
                "QUERY_STRING": query,
                "REQUEST_METHOD": self.command,
                "CONTENT_TYPE": self.headers.get("Content-Type", ""),
                "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
                "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
                "GIT_CONFIG_COUNT": "1",
                "GIT_CONFIG_KEY_0": "safe.directory",
                "GIT_CONFIG_VALUE_0": "*",
            }
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            done = subprocess.run(["git", "http-backend"], env=env, input=body, capture_output=True, check=False)
            head, _, content = done.stdout.partition(b"\r\n\r\n")
            lines = [line.split(": ", 1) for line in head.decode().split("\r\n") if ": " in line]
            headers = dict(lines)
            self.send_response(int(headers.pop("Status", "200").split()[0]))
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

    return Handler


Answer = Callable[[BaseHTTPRequestHandler], None]


@dataclass
class FileServer:
    """Answers each request with the next of `answers`; the last one stays."""

    url: str = ""
    answers: list[Answer] = field(default_factory=list)
    ranges: list[str | None] = field(default_factory=list)
    """The Range headers that came."""


def content(data: bytes, *, cut: int | None = None, ranges: bool = True) -> Answer:
    """Answer with `data`, honouring a Range; `cut`: promise all, send so many bytes, hang up."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        start = 0
        asked = handler.headers.get("Range")
        if ranges and asked:
            start = int(asked.removeprefix("bytes=").split("-")[0])
            if start >= len(data):
                handler.send_response(416)
                handler.send_header("Content-Length", "0")
                handler.end_headers()
                return
            handler.send_response(206)
            handler.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
        else:
            handler.send_response(200)
        rest = data[start:]
        handler.send_header("Content-Length", str(len(rest)))
        handler.end_headers()
        handler.wfile.write(rest if cut is None else rest[:cut])

    return answer


def status(code: int, location: str | None = None) -> Answer:
    """Answer with a bare status."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(code)
        if location is not None:
            handler.send_header("Location", location)
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    return answer
