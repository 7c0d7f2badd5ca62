"""The verdict endpoint, asked as the web provider asks it."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from urllib.parse import urlsplit

import httpx
import pytest

from penstock.foundation.errors import UsageError, WorldError
from penstock.watch.verdict_server import Look, VerdictServer
from penstock.watch.watcher import WatchVerdict

T0 = 1_764_200_000.0


@contextlib.contextmanager
def serving(look: Look, host: str = "127.0.0.1") -> Iterator[str]:
    with VerdictServer(host, 0, look) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://{f'[{host}]' if ':' in host else host}:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def verdict(since: float | None, _version: str = "") -> WatchVerdict:
    return WatchVerdict("Running", "not yet", "it is early", since or 0.0, T0, 5, None, None, ())


def test_verdicts() -> None:
    asked: list[float | None] = []

    def look(since: float | None, _version: str) -> WatchVerdict:
        asked.append(since)
        return verdict(since)

    with serving(look) as url:
        queries = ("", "", "?since=2025-11-26T23:33:20Z")
        found = [httpx.get(f"{url}/verdict{query}", trust_env=False) for query in queries]
    assert [answer.status_code for answer in found] == [200] * 3
    assert found[0].headers["content-type"] == "application/json"
    assert (found[0].json()["phase"], found[2].json()["since"]) == ("Running", T0)
    assert asked == [None, T0]  # the second was kept


def test_what_it_does_not_give() -> None:
    with serving(verdict) as url, httpx.Client(trust_env=False, base_url=url) as client:
        assert client.get("/healthz").json() == {"status": "ok"}
        assert client.get("/").status_code == 404
        assert client.get("/../etc/passwd").status_code == 404
        for since in ("yesterday", "nan", "", "1764200000000"):
            answer = client.get("/verdict", params={"since": since})
            assert answer.status_code == 400
            assert "'time' is" in answer.json()["error"]
        assert "future" in client.get("/verdict", params={"since": "9999999999"}).json()["error"]
        assert client.get("/verdict?" + "a=1&" * 50).status_code == 400
        assert client.post("/verdict").status_code == 501
        place = urlsplit(url)
        with socket.create_connection((place.hostname, place.port)) as odd:
            odd.sendall(b"GET //[ HTTP/1.0\r\n\r\n")
            assert b" 404 " in odd.recv(100)


def test_each_version_has_its_verdict() -> None:
    asked: list[str] = []

    def look(since: float | None, version: str) -> WatchVerdict:
        asked.append(version)
        if not version:
            raise UsageError("which release is the canary?", where="version")
        return verdict(since)

    with serving(look) as url, httpx.Client(trust_env=False, base_url=url) as client:
        for version in ("1.0.0", "1.1.0", "1.1.0"):
            assert client.get("/verdict", params={"since": T0, "version": version}).status_code == 200
        assert asked == ["1.0.0", "1.1.0"]  # the third was kept
        none = client.get("/verdict", params={"since": T0})
        assert (none.status_code, none.json()) == (400, {"error": "version: which release is the canary?"})
        for version in ("x" * 101, "1.0\n"):
            assert client.get("/verdict", params={"version": version}).status_code == 400
        assert client.get("/verdict?version=0.0.0+5f8b6d2c1a90").status_code == 200
        assert client.get("/verdict?version=0.0.0%2B5f8b6d2c1a90").status_code == 200
    assert asked == ["1.0.0", "1.1.0", "", "0.0.0+5f8b6d2c1a90"]


def test_who_says_nothing_holds_nobody_up() -> None:
    with serving(verdict) as url:
        silent = socket.create_connection(("127.0.0.1", int(url.rpartition(":")[2])))
        assert httpx.get(f"{url}/verdict", trust_env=False).status_code == 200
        silent.close()


def test_a_bug_is_no_verdict(capfd: pytest.CaptureFixture[str]) -> None:
    def look(since: float | None, _version: str) -> WatchVerdict:
        raise ZeroDivisionError

    with serving(look) as url:
        answer = httpx.get(f"{url}/verdict", trust_env=False)
    assert answer.status_code == 500
    assert answer.json() == {"error": "bug: ZeroDivisionError"}


def test_a_port_that_is_taken() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(WorldError, match="cannot listen"):
        VerdictServer("127.0.0.1", taken.getsockname()[1], verdict)


def has_ipv6() -> bool:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        return False
    return True


@pytest.mark.skipif(not has_ipv6(), reason="this machine has no IPv6")
def test_an_address_of_ipv6() -> None:
    with serving(verdict, "::1") as url:
        assert httpx.get(f"{url}/healthz", trust_env=False).json() == {"status": "ok"}
