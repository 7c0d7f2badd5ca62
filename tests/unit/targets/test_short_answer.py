"""One request and its short answer."""

from __future__ import annotations

import gzip
import socket
import threading

import pytest
from tests.unit.targets.receiver import receiver

from penstock.targets.short_answer import NoShortAnswerError, ask


def test_an_answer_and_none() -> None:
    with receiver() as hook:
        unsigned = {"Penstock-Timestamp": "0", "Penstock-Signature": "v1=0"}
        assert ask("POST", hook.url, timeout_s=10.0, content=b"{}", headers=unsigned).status == 401
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        with pytest.raises(NoShortAnswerError):
            ask("GET", f"http://127.0.0.1:{closed.getsockname()[1]}/", timeout_s=10.0)


def test_a_server_that_accepts_and_says_nothing() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(NoShortAnswerError, match="did not answer"):
        ask("GET", f"http://127.0.0.1:{silent.getsockname()[1]}/", timeout_s=0.05)


@pytest.mark.parametrize("host", ["a..b", "a" * 70 + ".example.org"])
def test_a_name_that_cannot_be_a_host(host: str) -> None:
    with pytest.raises(NoShortAnswerError, match="the address is not valid"):
        ask("GET", f"http://{host}/", timeout_s=5.0)


def test_a_compressed_answer_is_not_unpacked() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(1 << 16)
                content = gzip.compress(gzip.compress(bytes(1 << 20)))
                head = f"HTTP/1.1 200 OK\r\nContent-Encoding: gzip, gzip\r\nContent-Length: {len(content)}\r\n\r\n"
                connection.sendall(head.encode() + content)

        thread = threading.Thread(target=answer)
        thread.start()
        with pytest.raises(NoShortAnswerError, match="compressed"):
            ask("GET", f"http://127.0.0.1:{server.getsockname()[1]}/", timeout_s=10.0)
        thread.join()
