"""Notifications: a real server that takes them, and one that refuses."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from penstock.errors import UsageError, WorldError
from penstock.report.notify import notify, receivers_in


@pytest.fixture
def chat() -> Iterator[tuple[str, list[dict[str, str]]]]:
    received: list[dict[str, str]] = []

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *arguments: object) -> None:
            pass

        def do_POST(self) -> None:
            received.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(500 if "refuse" in self.path else 200)
            self.send_header("Content-Length", "0")
            self.end_headers()

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield f"json://user:hunter2@127.0.0.1:{server.server_port}", received
    server.shutdown()
    server.server_close()
    thread.join()


def test_sent(chat: tuple[str, list[dict[str, str]]]) -> None:
    url, received = chat
    assert notify([f"{url}/a", f"{url}/b"], "sonic-lite 1.1.0: rejected", "LSE-D 17 % worse", kind="failure") == 2
    assert [message["title"] for message in received] == ["sonic-lite 1.1.0: rejected"] * 2


def test_one_refuses_and_the_other_still_comes(chat: tuple[str, list[dict[str, str]]]) -> None:
    url, received = chat
    with pytest.raises(WorldError, match="1 of 2") as caught:
        notify([f"{url}/refuse", f"{url}/ok"], "title", "body")
    assert len(received) == 2
    assert "hunter2" not in str(caught.value)


def test_nobody() -> None:
    assert notify([], "title", "body") == 0
    assert receivers_in(None) == []


def test_unknown_address_is_not_shown() -> None:
    with pytest.raises(UsageError) as caught:
        notify(["nosuchservice://user:hunter2@host"], "title", "body")
    assert "hunter2" not in str(caught.value)


def test_receivers(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="urls"):
        receivers_in(tmp_path)
    (tmp_path / "urls").write_text("# ours\njson://a\n\n json://b \n")
    assert receivers_in(tmp_path) == ["json://a", "json://b"]
    (tmp_path / "urls").write_bytes(b"\xff\xfe")
    with pytest.raises(UsageError):
        receivers_in(tmp_path)
