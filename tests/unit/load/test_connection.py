"""One connection: TLS is verified, and one that cannot be made says why."""

from __future__ import annotations

import select
import socket
import ssl
import time
from pathlib import Path

import pytest
from tests.unit.load.services import OK, answering, certificate, put_load, reset, service

from penstock.foundation.errors import WorldError
from penstock.load.connection import ConnectionBrokenError, LoadConnection, Stage, first_connection
from penstock.load.load_request import Destination, LoadRequest, find_destination, parse_load_url
from penstock.load.timeline import RequestEnding


def at(port: int) -> Destination:
    return Destination("127.0.0.1", port, socket.AF_INET, ("127.0.0.1", port))


def test_a_trusted_certificate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    context, authority = certificate(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(authority))
    with service(answering(OK), tls=context) as made:
        timeline = put_load(made.url.replace("http:", "https:"), rate=50)
    assert set(timeline.ending) == {RequestEnding.GOOD}
    assert len(timeline.ending) == 10


def test_an_answer_of_many_records(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    context, authority = certificate(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(authority))
    body = tmp_path / "body.bin"
    body.write_bytes(bytes(3_000_000))
    large = b"HTTP/1.1 200 OK\r\nContent-Length: 5000000\r\n\r\n" + bytes(5_000_000)
    with service(answering(large), tls=context) as made:
        timeline = put_load(made.url.replace("http:", "https:"), rate=10, bodies=(body,))
    assert list(timeline.ending) == [RequestEnding.GOOD] * 2


def test_an_unknown_certificate_is_refused_in_words(tmp_path: Path) -> None:
    context, _ = certificate(tmp_path)
    with (
        service(answering(OK), tls=context) as made,
        pytest.raises(WorldError, match="the service's certificate is not trusted: self-signed certificate") as caught,
    ):
        put_load(made.url.replace("http:", "https:"))
    assert "SSL_CERT_FILE" in caught.value.todo


def test_a_certificate_for_another_name_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    context, authority = certificate(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(authority))
    with (
        service(answering(OK), tls=context) as made,
        pytest.raises(WorldError, match="certificate is not trusted: Hostname mismatch"),
    ):
        put_load(f"https://localhost:{made.port}/")


def test_no_tls_where_it_was_wanted() -> None:
    def handle(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")

    with service(handle) as made, pytest.raises(WorldError, match="TLS could not be agreed on"):
        first_connection(find_destination(parse_load_url(f"https://127.0.0.1:{made.port}/")), 5.0)


def test_tls_that_fails_after_it_was_agreed_on_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # TLS 1.3: that a certificate of ours is wanted comes only after the handshake
    context, authority = certificate(tmp_path)
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(authority)
    monkeypatch.setenv("SSL_CERT_FILE", str(authority))
    with service(answering(OK), tls=context) as made:
        connection = first_connection(find_destination(parse_load_url(f"https://127.0.0.1:{made.port}/")), 5.0)
        connection.send(0, LoadRequest("GET", b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"))
        with pytest.raises(ConnectionBrokenError, match=r"TLS failed: .*CERTIFICATE_REQUIRED") as caught:
            connection.wait(20.0)
        connection.close()
    assert caught.value.ending is RequestEnding.TLS


def test_one_that_accepts_and_says_nothing_is_given_up_while_tls_is_agreed_on() -> None:
    def silent(connection: socket.socket) -> None:
        while connection.recv(1000):
            pass

    with service(silent) as made, pytest.raises(WorldError, match="nothing came in time"):
        first_connection(find_destination(parse_load_url(f"https://127.0.0.1:{made.port}/")), 0.2)


def test_one_that_breaks_the_connection_before_tls_is_begun(tmp_path: Path) -> None:
    with service(reset) as made:
        connection = LoadConnection(find_destination(parse_load_url(f"https://127.0.0.1:{made.port}/"))[0])
        poll = select.poll()
        poll.register(connection.fileno, select.POLLIN | select.POLLHUP)
        while not any(events & select.POLLHUP for _, events in poll.poll(5000)):
            pass
        # as where the break comes between the look at the connection and the beginning of TLS
        with pytest.raises(ConnectionBrokenError) as caught:
            connection._connected()
        connection.close()
    assert caught.value.ending is RequestEnding.RESET


def test_the_next_address_is_tried() -> None:
    # as for `localhost`, which may stand for ::1 first
    with service(answering(OK)) as closed:
        port = closed.port
    with service(answering(OK)) as made:
        connection = first_connection([at(port), at(made.port)], 5.0)
        assert connection.destination.port == made.port
        connection.close()


def test_a_request_and_its_answer() -> None:
    with service(answering(OK)) as made:
        connection = first_connection([at(made.port)], 5.0)
        connection.send(7, LoadRequest("GET", b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"))
        assert (connection.request, connection.stage) == (7, Stage.BUSY)
        deadline = time.monotonic() + 20
        while connection.stage is not Stage.ANSWERED and time.monotonic() < deadline:
            connection.wait(20.0)
        assert connection.reader.status == 200
        assert connection.finish()
        assert (connection.last_request, connection.served, connection.stage) == (7, 1, Stage.IDLE)
        connection.close()


def test_a_refused_connection() -> None:
    with service(answering(OK)) as made:
        port = made.port
    with pytest.raises(ConnectionBrokenError, match="refused") as caught:
        LoadConnection(at(port)).wait(5.0)
    assert caught.value.ending is RequestEnding.REFUSED
