"""Starting and asking the service of test-assets/models/sonic-lite."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ASSETS = ROOT / "test-assets"
MODEL = ASSETS / "models" / "sonic-lite"
BASE = MODEL / "base"
BOUNDARY = "----penstock-test"


@dataclass(frozen=True)
class Answer:
    status: int
    type: str
    body: bytes

    @property
    def error(self) -> dict[str, str]:
        assert self.type == "application/json"
        return json.loads(self.body)


def form(fields: dict[str, str], files: dict[str, bytes]) -> bytes:
    parts = []
    for name, value in fields.items():
        parts.append(f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode())
    for name, content in files.items():
        head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"; filename="Gesicht ö.bin"\r\n'
        parts.append(head.encode() + b"Content-Type: application/octet-stream\r\n\r\n" + content + b"\r\n")
    return b"".join([*parts, f"--{BOUNDARY}--\r\n".encode()])


def ask(url: str, body: bytes | None = None, *, content_type: str = "", timeout: float = 30) -> Answer:
    headers = {"Content-Type": content_type or f"multipart/form-data; boundary={BOUNDARY}"} if body is not None else {}
    request = urllib.request.Request(url, data=body, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=timeout) as response:
            return Answer(response.status, response.headers["Content-Type"], response.read())
    except urllib.error.HTTPError as error:
        return Answer(error.code, error.headers["Content-Type"], error.read())


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


class Running:
    """A server process on a free port."""

    def __init__(self, directory: Path, scratch: Path, variables: Mapping[str, str] | None = None) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = scratch / "server.log"
        environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1", "TMPDIR": str(scratch), **(variables or {})}
        with self.log.open("wb") as log:
            command = [sys.executable, "server.py", "--port", str(self.port)]
            self.process = subprocess.Popen(command, cwd=directory, env=environment, stderr=log)

    def wait_ready(self, path: str = "/healthz") -> None:
        for _ in range(600):
            assert self.process.poll() is None, self.log.read_text()
            try:
                if ask(f"{self.url}{path}", timeout=5).status == 200:
                    return
            except (urllib.error.URLError, ConnectionError):
                pass
            time.sleep(0.05)
        raise AssertionError(f"the server did not get ready: {self.log.read_text()}")

    def computed(self) -> float:
        """CPU seconds of the server so far: unlike time, other work of the machine does not change them."""
        return time.clock_gettime((~self.process.pid << 3) | 2)  # clock_getcpuclockid(3), which Python does not offer

    def stop(self) -> None:
        self.process.kill()
        self.process.wait()


SPEECH_S = 2.50025
