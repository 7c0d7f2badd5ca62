"""What *infer* makes of answers that are slow, cut, compressed, or no HTTP at all: each has one stated end."""

from __future__ import annotations

import gzip
import socket
import time
from pathlib import Path

import httpx
import pytest
from tests.unit.evaluation.photo_folders import photo_folders
from tests.unit.invocation.test_running_service import CASE, contract
from tests.unit.load.services import Handle, answering, read_request, reset, service

from penstock.invocation.connection import HandedOver
from penstock.invocation.http_exchange import BrokenExchangeError, exchange

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: image/png\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n"
BOMB = gzip.compress(b"\0" * (64 << 20))
MANY = b"".join(b"A%d: x\r\n" % number for number in range(20_000))


def dripping(connection: socket.socket) -> None:
    read_request(connection)
    for byte in HEAD + b"Content-Length: 3\r\n\r\nabc":
        connection.sendall(bytes([byte]))
        time.sleep(0.05)


def reset_half_way(connection: socket.socket) -> None:
    read_request(connection)
    connection.sendall(HEAD + b"Content-Length: 100\r\n\r\nabc")
    time.sleep(0.05)
    reset(connection)


def once(answer: bytes) -> Handle:
    return answering(answer, close=True)


def came_of(handle: Handle, folder: Path, timeout_s: float = 20.0) -> str:
    """How the call ended, in a word and the reason."""
    photo, output = photo_folders(folder) / "photos" / "anna.jpg", folder / "out.png"
    with service(handle) as made:
        dial = HandedOver(lambda port, seconds: socket.create_connection(("127.0.0.1", port), seconds))
        with httpx.Client(trust_env=False, follow_redirects=False, transport=dial) as client:
            try:
                result = exchange(
                    client,
                    f"http://127.0.0.1:{made.port}",
                    contract(),
                    CASE,
                    {"image": photo},
                    output,
                    timeout_s,
                    name="",
                )
            except BrokenExchangeError as broken:
                assert not output.exists(), "nothing half-written is left"
                return f"{'timeout' if broken.expired else 'broken'}: {broken.reason}"
    assert output.exists() == (result.status == "ok")
    return f"{result.status}: {result.error or output.read_bytes().decode()}"


@pytest.mark.parametrize(
    ("answer", "end"),
    [
        (CHUNKED + b"\r\n3\r\nabc\r\n0\r\n\r\n", "ok: abc"),
        (CHUNKED + b"\r\n3;x=y\r\nabc\r\n0\r\nA: b\r\n\r\n", "ok: abc"),
        (b"HTTP/1.0 200 OK\r\nContent-Type: image/png\r\n\r\nabc", "ok: abc"),
        (b"HTTP/1.1 100 Continue\r\n\r\n" * 50 + HEAD + b"Content-Length: 3\r\n\r\nabc", "ok: abc"),
        (CHUNKED + b"\r\nzz\r\nabc\r\n0\r\n\r\n", "broken: illegal chunk header"),
        (CHUNKED + b"\r\n3\r\nabc\r\n", "broken: peer closed connection"),
        (CHUNKED + b"\r\nffffffffffffffff\r\nabc\r\n", "broken: peer closed connection"),
        (HEAD + b"Transfer-Encoding: gzip, chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n", "broken: Only Transfer-Encoding"),
        (HEAD + b"Content-Length: 30\r\n\r\nabc", "broken: peer closed connection"),
        (HEAD + b"Content-Length: 3\r\nContent-Length: 4\r\n\r\nabc", "broken: conflicting Content-Length"),
        (HEAD + b"Content-Length: 99999999999999999999999\r\n\r\nabc", "broken: bad Content-Length"),
        (
            HEAD + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(BOMB) + BOMB,
            "failed: the model compressed its answer though it was asked not to",
        ),
        (
            b"HTTP/1.1 500 No\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(BOMB) + BOMB,
            "failed: the model answered 500: ",
        ),
        (
            b"HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 0\r\n\r\n",
            "failed: the model answered 302: (nothing)",
        ),
        (b"HTTP/1.1 204 No Content\r\nContent-Type: image/png\r\n\r\n", "failed: the model's answer is empty"),
        (b"HTTP/1.1 999 \r\nContent-Length: 0\r\n\r\n", "failed: the model answered 999: (nothing)"),
        (b"HTTP/1.1 101 Other\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\nabc", "broken: "),
        (
            b"HTTP/1.1 200 OK\r\nContent-Type: \xff\xfe\r\nContent-Length: 3\r\n\r\nabc",
            "failed: the model answered 'ÿþ'",
        ),
        (b"HTTP/1.1 200 OK\r\nA: " + b"x" * (1 << 20) + b"\r\n\r\n", "broken: Receive buffer too long"),
        (b"HTTP/1.1 200 OK\r\n" + MANY + b"\r\n", "broken: Receive buffer too long"),
        (b"HTTP/2 200 OK\r\n\r\n", "broken: illegal status line"),
        (b"SSH-2.0-OpenSSH_9.6\r\n", "broken: Server disconnected without sending a response."),
        (b"", "broken: Server disconnected without sending a response."),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_each_answer_has_one_end(answer: bytes, end: str, tmp_path: Path) -> None:
    assert came_of(once(answer), tmp_path).startswith(end)


def test_resets_and_drips(tmp_path: Path) -> None:
    assert came_of(reset, tmp_path / "a").startswith("broken: ")
    assert came_of(reset_half_way, tmp_path / "b").startswith("broken: ")
    assert came_of(dripping, tmp_path / "c", timeout_s=0.5).startswith("timeout: ")
