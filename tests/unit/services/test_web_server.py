"""The server that every service has."""

from __future__ import annotations

import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import httpx
import pytest

from penstock.foundation.errors import UsageError
from penstock.services.listening import ListenAddress, bound
from penstock.services.web_server import MAX_HEADER_BYTES, extra_serve, web_server

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send


@contextmanager
def serving(application: ASGIApp) -> Iterator[str]:
    server = web_server(application)
    with bound(ListenAddress("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        try:
            deadline = time.monotonic() + 10
            while not server.started and time.monotonic() < deadline:
                time.sleep(0.01)
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(10)
        assert not thread.is_alive()


async def client_of(scope: Scope, receive: Receive, send: Send) -> None:
    """Answers whom it takes the asker for."""
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": scope["client"][0].encode()})


def test_what_it_takes(caplog: pytest.LogCaptureFixture) -> None:
    with serving(client_of) as url, httpx.Client(trust_env=False, base_url=url) as client:
        answer = client.get("/?ticket=secret", headers={"X-Forwarded-For": "203.0.113.9"})
        assert (answer.status_code, answer.text) == (200, "127.0.0.1"), "a header says nothing about who asks"
        assert "server" not in answer.headers
        host, _, port = url.removeprefix("http://").partition(":")
        with socket.create_connection((host, int(port)), 10) as raw:  # a header that has no end
            raw.sendall(b"GET / HTTP/1.1\r\nX-Long: " + b"a" * 2 * MAX_HEADER_BYTES)
            assert raw.recv(100).startswith(b"HTTP/1.1 400")
    assert "secret" not in caplog.text


def test_requests_in_progress_are_finished_when_it_is_told_to_stop() -> None:
    begun, stopping = threading.Event(), threading.Event()

    async def slow(scope: Scope, receive: Receive, send: Send) -> None:
        import asyncio

        begun.set()
        while not stopping.is_set():
            await asyncio.sleep(0.01)
        await client_of(scope, receive, send)

    answers = list[int]()

    def ask(url: str) -> None:
        answers.append(httpx.get(url, trust_env=False).status_code)

    with serving(slow) as url:
        asking = threading.Thread(target=ask, args=(url,))
        asking.start()
        assert begun.wait(10)
        threading.Timer(0.1, stopping.set).start()
    asking.join(10)
    assert answers == [200]


def test_what_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    with pytest.raises(UsageError, match=r"needs starlette and uvicorn.*penstock\[serve\]"):
        web_server(client_of)
    with pytest.raises(UsageError, match="the release book needs"), extra_serve("the release book"):
        raise ModuleNotFoundError("no", name="starlette.routing")
    with pytest.raises(ModuleNotFoundError), extra_serve("the release book"):
        raise ModuleNotFoundError("a fault of our own", name="penstock.gone")
