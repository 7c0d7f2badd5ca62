"""``penstock load``: what it prints, and how it ends."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import sys
import threading
from pathlib import Path

import pytest
from tests.unit.load.services import OK, answering, certificate, read_request, service

from penstock.cli.app import main


def load(*arguments: object) -> int:
    return main(["load", *(str(argument) for argument in arguments)])


def test_json_has_the_promised_keys(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    body = tmp_path / "a.json"
    body.write_text("{}", encoding="utf-8")
    with service(answering(OK)) as at:
        code = load(at.url + "?key=secret", "--rate", 200, "--seconds", 0.5, "--body", body, "--json")
    out = capsys.readouterr().out
    found = json.loads(out)
    assert code == 0
    assert (found["requests"], found["errors"], found["dropped"]) == (100, 0, 0)
    assert 0 < found["p50_ms"] <= found["p95_ms"] <= found["p99_ms"]
    low, high = found["p95_interval_ms"]
    assert low <= found["p95_ms"] <= high
    assert 0 < found["achieved_rate"] <= 200
    assert found["generator"]["late_p99_ms"] >= 0
    assert found["asked"] == {
        "url": f"http://127.0.0.1:{at.port}/answer?…",
        "method": "POST",
        "rate": 200,
        "concurrency": None,
        "warm_up_s": 0,
        "arrivals": "constant",
        "seed": None,
    }
    assert "secret" not in out


def test_lines_for_people(capsys: pytest.CaptureFixture[str]) -> None:
    with service(answering(b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n")) as at:
        code = load(at.url, "--rate", 100, "--seconds", 0.2, "--arrivals", "poisson", "--seed", 1, "--warm-up", 0.1)
    out = capsys.readouterr().out
    assert code == 0
    assert " × status: the service answered 503" in out
    assert "count with the whole timeout, 10000 ms" in out


def test_concurrency(capsys: pytest.CaptureFixture[str]) -> None:
    with service(answering(OK, delay_s=0.01)) as at:
        code = load(at.url, "--concurrency", 2, "--seconds", 0.3, "--json")
    found = json.loads(capsys.readouterr().out)
    assert code == 0
    assert (found["asked"]["rate"], found["asked"]["concurrency"]) == (None, 2)
    assert found["good"] == found["requests"] >= 2
    assert found["connections"] <= 2


def test_progress_on_a_terminal(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    with service(answering(OK)) as at:
        assert load(at.url, "--rate", 50, "--seconds", 0.6, "--json") == 0
    shown = capsys.readouterr()
    assert re.search(r"\r\x1b\[K[01] s of 0\.6 s, [1-9][0-9]* requests", shown.err)
    assert shown.err.endswith("\r\x1b[K"), "the line is gone at the end"
    assert json.loads(shown.out)["requests"] == 30


def test_nothing_listens(capsys: pytest.CaptureFixture[str]) -> None:
    with service(answering(OK)) as at:
        url = at.url
    assert load(url, "--rate", 10, "--seconds", 1, "--json") == 4
    shown = capsys.readouterr()
    found = json.loads(shown.out)
    assert (found["requests"], found["seconds"], found["p95_ms"], found["connections"]) == (0, 0, None, 0)
    assert found["asked"]["url"] == url
    assert "the connection was refused. Start the service, or correct the URL." in shown.err
    assert load(url, "--rate", 10, "--seconds", 1) == 4
    shown = capsys.readouterr()
    assert shown.out == ""  # a table of dashes says nothing
    assert "the connection was refused" in shown.err


def test_nothing_answers(capsys: pytest.CaptureFixture[str]) -> None:
    def silent(connection: socket.socket) -> None:
        while connection.recv(1000):
            pass

    with service(silent) as at:
        code = load(at.url, "--rate", 10, "--seconds", 0.2, "--timeout", 0.2, "--json")
    shown = capsys.readouterr()
    assert code == 4
    assert json.loads(shown.out)["errors_by_kind"]["timeout"] == 2
    assert "the service gave no answer at all" in shown.err


def test_a_certificate_of_an_authority_that_is_not_known(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    context, _ = certificate(tmp_path)
    with service(answering(OK), tls=context) as at:
        code = load(f"https://127.0.0.1:{at.port}/", "--rate", 10, "--seconds", 0.2)
    assert code == 4
    said = capsys.readouterr().err
    assert "the service's certificate is not trusted: self-signed certificate" in said
    assert "SSL_CERT_FILE" in said


def test_a_port_that_something_else_holds(capsys: pytest.CaptureFixture[str]) -> None:
    with service(answering(b"SSH-2.0-OpenSSH_9.6\r\n")) as at:
        code = load(at.url, "--rate", 10, "--seconds", 0.2, "--timeout", 5)
    shown = capsys.readouterr()
    assert code == 4
    assert "2 × broken: what came is not an HTTP answer" in shown.out
    assert "the service gave no whole HTTP answer: what came is not an HTTP answer" in shown.err


@pytest.mark.slow
def test_a_service_that_answered_in_the_warm_up_gave_an_answer(capsys: pytest.CaptureFixture[str]) -> None:
    # as under overload: what is due later waits so long that it is not answered in time
    answered: list[bytes] = []

    def handle(connection: socket.socket) -> None:
        while request := read_request(connection):
            if not answered:
                answered.append(request)
                connection.sendall(OK)

    with service(handle) as at:
        common = ("--rate", 100, "--seconds", 0.3, "--warm-up", 0.3, "--timeout", 0.2, "--json")
        code = load(at.url, *common, "--connections", 1)
    shown = capsys.readouterr()
    found = json.loads(shown.out)
    assert code == 0, shown.err
    assert (found["requests"], found["good"], found["statuses"]) == (30, 0, {})


def test_nothing_measured_is_no_success(capsys: pytest.CaptureFixture[str]) -> None:
    with service(answering(OK, delay_s=0.5)) as at:
        code = load(at.url, "--concurrency", 1, "--warm-up", 0.1, "--seconds", 0.1, "--json")
    shown = capsys.readouterr()
    assert code == 4
    assert json.loads(shown.out)["requests"] == 0
    assert "nothing was measured" in shown.err


def test_ctrl_c_ends_with_what_was_measured(capsys: pytest.CaptureFixture[str]) -> None:
    before = signal.getsignal(signal.SIGINT)
    pressed = threading.Event()

    def handle(connection: socket.socket) -> None:
        while read_request(connection):
            connection.sendall(OK)
            # the same connection is used again only after its answer was read
            if read_request(connection) and not pressed.is_set():
                pressed.set()
                os.kill(os.getpid(), signal.SIGINT)

    with service(handle) as at:
        code = load(at.url, "--rate", 50, "--seconds", 60, "--json")
    found = json.loads(capsys.readouterr().out)
    assert code == 130
    assert found["interrupted"]
    assert found["good"] >= 1
    assert found["seconds"] < 60
    assert signal.getsignal(signal.SIGINT) is before


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["http://127.0.0.1:1", "--seconds", 1], "give --rate or --concurrency"),
        (["http://127.0.0.1:1", "--seconds", 1, "--rate", 1, "--concurrency", 1], "give --rate or --concurrency"),
        (["http://127.0.0.1:1", "--seconds", 1, "--rate", 0], "--rate: 0 is not a number above 0"),
        (["http://127.0.0.1:1", "--seconds", 1, "--rate", -3], "--rate: -3 is not a number above 0"),
        (["http://127.0.0.1:1", "--seconds", 1, "--rate", "nan"], "--rate: nan is not a number above 0"),
        (["http://127.0.0.1:1", "--seconds", "inf", "--rate", 1], "--seconds: inf is not"),
        (["http://127.0.0.1:1", "--seconds", 100_000, "--rate", 1], "more than a day"),
        (["http://127.0.0.1:1", "--seconds", 1000, "--rate", 10_000], "these are 10,000,000 requests"),
        (["http://127.0.0.1:1", "--seconds", 1, "--rate", 1, "--timeout", 0], "--timeout: 0 is not"),
        (["http://127.0.0.1:1", "--seconds", 1, "--rate", 1, "--warm-up", -1], "--warm-up: -1 is not"),
        (["http://127.0.0.1:1", "--seconds", 1, "--rate", 1, "--connections", 0], "0 is not a number from 1 to 50000"),
        (["http://127.0.0.1:1", "--seconds", 1, "--concurrency", 0], "0 is not a number from 1 to 50000"),
        (
            ["http://127.0.0.1:1", "--seconds", 1, "--concurrency", 8, "--connections", 2],
            "--connections: 8 requests at a time need as many connections, not 2",
        ),
        (["http://127.0.0.1:1", "--seconds", 0.5, "--warm-up", 1, "--rate", 0.5], "no request is due in the time"),
        (
            ["http://127.0.0.1:1", "--seconds", 0.1, "--rate", 0.1, "--arrivals", "poisson", "--seed", 1],
            "no request is due in the time",
        ),
        (["http://127.0.0.1:1", "--seconds", 1, "--rate", 1, "--header", "X: \udcff"], "the value of 'X' is not UTF-8"),
        (["ftp://127.0.0.1:1", "--seconds", 1, "--rate", 1], "neither http:// nor https://"),
        (["http://127.0.0.1:1", "--seconds", 1, "--rate", 1, "--header", "no-colon"], "there is no colon"),
        (["http://127.0.0.1:1", "--seconds", 1, "--rate", 1, "--body", "/none/there"], "the file is missing"),
        (["http://127.0.0.1:1", "--rate", 1], "--seconds"),
        (["http://127.0.0.1:1", "--seconds", 1, "--rate", "fast"], "--rate"),
    ],
)
def test_bad_usage(arguments: list[object], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert load(*arguments) == 2
    assert message in capsys.readouterr().err
