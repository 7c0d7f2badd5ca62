"""A forge's API on this machine, as far as pull requests go."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Json = dict[str, Any]


@dataclass
class ForgeApi:
    """What it answers."""

    url: str = ""
    answers: dict[str, Any] = field(default_factory=dict)
    """Path with query → what a GET is answered."""
    status: int = 200
    requests: list[str] = field(default_factory=list)
    posted: list[tuple[str, Json]] = field(default_factory=list)

    def statuses(self, path: str) -> list[Json]:
        """What a commit was told, the last first, as Gitea lists it."""
        told = [{"id": at, "status": body["state"]} | body for at, (to, body) in enumerate(self.posted) if to == path]
        return told[::-1]


@contextmanager
def forge_api() -> Iterator[ForgeApi]:
    there = ForgeApi()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = 1 << 16

        def handle_one(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))) or b"null")
            there.requests.append(f"{self.command} {self.path}")
            value = there.answers.get(self.path)
            if self.command == "GET" and "/statuses/" in self.path:
                value = there.statuses(self.path.partition("?")[0])
            if self.command != "GET" and there.status == 200:
                there.posted.append((self.path, body))
                value = {"id": 1, "html_url": "https://forge.example/1"}
            status = there.status if there.status != 200 or value is not None else 404
            content = json.dumps(value if value is not None else {"message": "Not Found"}).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def do_GET(self) -> None:
            self.handle_one()

        def do_POST(self) -> None:
            self.handle_one()

        def do_PATCH(self) -> None:
            self.handle_one()

        def do_PUT(self) -> None:
            self.handle_one()

        def log_message(self, *_: object) -> None:
            """Quiet."""

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    http.daemon_threads = True
    threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    there.url = f"http://127.0.0.1:{http.server_address[1]}"
    try:
        yield there
    finally:
        http.shutdown()
        http.server_close()


def hub_answer(
    head: str, *, state: str = "open", base: str = "main", fork_id: int | None = 1, gone: bool = False
) -> Json:
    """Of GitHub or Gitea; ``fork_id`` 1 is the base repository itself."""
    return {
        "number": 7,
        "state": state,
        "head": {"label": "change", "ref": "change", "sha": head, "repo": None if gone else {"id": fork_id}},
        "base": {"ref": base, "repo": {"id": 1}},
    }


def gitlab_answer(head: str, *, state: str = "opened", source: int | None = 1) -> Json:
    return {"sha": head, "state": state, "target_branch": "main", "source_project_id": source, "target_project_id": 1}
