"""Fixtures: a repository, git servers, a file server that misbehaves as told, and a bucket, all on this machine."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from tests.unit.sources.fetched_file import DATA
from tests.unit.sources.source_servers import FileServer, GitServer, commit, git, git_handler, new_repository

from penstock.store.s3_client import s3_client


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository: tag v1.0.0, then a branch `main` one commit further, and a branch `release/2`."""
    path = new_repository(tmp_path / "served" / "model")
    commit(path, {"a.txt": "one\n", "dir/b.txt": "two\n"})
    git(path, "tag", "-a", "v1.0.0", "-m", "first")
    git(path, "branch", "release/2")
    commit(path, {"a.txt": "three\n"})
    return path


@pytest.fixture
def serve_git() -> Iterator[Callable[..., GitServer]]:
    """Start git servers: `serve_git(root, login="user:password")`."""
    running: list[tuple[ThreadingHTTPServer, threading.Thread]] = []

    def start(root: Path, login: str | None = None) -> GitServer:
        server = GitServer("")
        http = ThreadingHTTPServer(("127.0.0.1", 0), git_handler(root, login, server))
        server.url = f"http://127.0.0.1:{http.server_port}"
        thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        running.append((http, thread))
        return server

    yield start
    for http, thread in running:
        http.shutdown()
        http.server_close()
        thread.join()


@pytest.fixture
def file_server() -> Iterator[FileServer]:
    """An HTTP server on loopback that does what the test says."""
    server = FileServer()

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *arguments: object) -> None:
            pass

        def do_GET(self) -> None:
            server.ranges.append(self.headers.get("Range"))
            answer = server.answers.pop(0) if len(server.answers) > 1 else server.answers[0]
            self.close_connection = True
            answer(self)

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.url = f"http://127.0.0.1:{http.server_port}"
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield server
    http.shutdown()
    http.server_close()
    thread.join()


@pytest.fixture
def fake_lfs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A git-lfs that fills pointers in the work tree, or fails if told so by a file `fail` beside it."""
    programs = tmp_path / "bin"
    programs.mkdir()
    program = programs / "git-lfs"
    program.write_text(
        f"""#!{sys.executable} -IS
import pathlib, sys
assert sys.argv[1:] == ["pull", "origin"], sys.argv
if pathlib.Path(__file__).with_name("fail").exists():
    sys.exit("error: failed to fetch some objects from 'https://u:hunter2@example.org/x'")
pathlib.Path("w.bin").write_bytes(b"content")
"""
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")
    return programs


@pytest.fixture
def bucket(aws_described_once: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """S3, as moto plays it inside boto3."""
    from moto import mock_aws  # not above: it takes longer to import than most of these tests take

    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    with mock_aws():
        client = s3_client(None)
        client.create_bucket(Bucket="weights")
        client.put_object(Bucket="weights", Key="a/w.dat", Body=DATA)
        yield client
