"""HTTP over sockets that somebody else connects."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import httpx
import pytest

from penstock.invocation.connection import HandedOver

ANSWER = b"HTTP/1.1 201 Created\r\nContent-Type: video/mp4\r\nContent-Length: 5\r\n\r\nVIDEO"


class Peer:
    """Answers one request with bytes, over a connection that it makes itself."""

    def __init__(self, answer: bytes) -> None:
        self.answer, self.seen = answer, b""
        self.ports: list[int] = []
        self.threads: list[threading.Thread] = []

    def connect(self, port: int, timeout_s: float) -> socket.socket:
        assert timeout_s > 0
        self.ports.append(port)
        with socket.create_server(("127.0.0.1", 0)) as listener:
            ours = socket.create_connection(listener.getsockname())
            theirs, _ = listener.accept()
        self.threads.append(threading.Thread(target=self._serve, args=(theirs,)))
        self.threads[-1].start()
        return ours

    def _serve(self, theirs: socket.socket) -> None:
        with theirs:
            self.seen += theirs.recv(65_536)
            theirs.sendall(self.answer)


@pytest.fixture
def peers() -> Iterator[list[Peer]]:
    made: list[Peer] = []
    yield made
    for peer in made:
        for thread in peer.threads:
            thread.join(5)
            assert not thread.is_alive()


def test_request_and_answer_go_over_that_socket(peers: list[Peer]) -> None:
    peers.append(Peer(ANSWER))
    with httpx.Client(transport=HandedOver(peers[0].connect)) as client:
        answer = client.post("http://127.0.0.1:8123/generate", content=b"x", timeout=5)
    assert (answer.status_code, answer.content) == (201, b"VIDEO")
    assert peers[0].ports == [8123]
    assert peers[0].seen.startswith(b"POST /generate HTTP/1.1\r\n")


@pytest.mark.parametrize("content", [b"", b"no HTTP at all\r\n\r\n", ANSWER[:-2]])
def test_broken_answer_is_an_error_of_the_transport(peers: list[Peer], content: bytes) -> None:
    peers.append(Peer(content))
    with httpx.Client(transport=HandedOver(peers[0].connect)) as client, pytest.raises(httpx.TransportError):
        client.get("http://127.0.0.1:8123/", timeout=5)


def test_service_that_is_gone() -> None:
    def refuse(port: int, timeout_s: float) -> socket.socket:
        raise ConnectionRefusedError(f"nothing listens on {port} for {timeout_s}")

    with httpx.Client(transport=HandedOver(refuse)) as client, pytest.raises(httpx.TransportError):
        client.get("http://127.0.0.1:8123/", timeout=5)
