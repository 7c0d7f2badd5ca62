"""What goes over the wire, and what is refused before."""

from __future__ import annotations

from pathlib import Path

import pytest

from penstock.foundation.errors import UsageError, WorldError
from penstock.load.load_request import find_destination, make_requests, parse_load_url


@pytest.mark.parametrize(
    ("text", "authority", "target", "shown"),
    [
        ("http://127.0.0.1:8080/a", "127.0.0.1:8080", "/a", "http://127.0.0.1:8080/a"),
        ("https://example.org", "example.org", "/", "https://example.org/"),
        ("http://example.org:80/?token=secret#x", "example.org", "/?token=secret", "http://example.org:80/?…"),
        ("http://[::1]:9/名?q=名", "[::1]:9", "/%E5%90%8D?q=%E5%90%8D", "http://[::1]:9/%E5%90%8D?…"),
        ("http://a/b%20c", "a", "/b%20c", "http://a/b%20c"),
        ("http://bücher.example/", "xn--bcher-kva.example", "/", "http://bücher.example/"),
    ],
)
def test_urls(text: str, authority: str, target: str, shown: str) -> None:
    url = parse_load_url(text)
    assert (url.authority, url.target, url.shown) == (authority, target, shown)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("127.0.0.1:8080", "neither http:// nor https://"),
        ("ftp://a/", "neither http:// nor https://"),
        ("http:///path", "has no host"),
        ("http://a b/", "holds a space"),
        ("http://a/\r\nX: y", "control character"),
        ("http://user:password@a/", "a name or a password"),
        ("http://a:99999/", "cannot be read"),
        ("http://a:0/", "has no host, or one that cannot be"),
        ("http://[::1/", "cannot be read"),
        ("http://-a/", "has no host, or one that cannot be"),
        ("", "neither http:// nor https://"),
    ],
)
def test_urls_that_are_refused(text: str, message: str) -> None:
    with pytest.raises(UsageError, match=message) as caught:
        parse_load_url(text)
    assert "password@" not in str(caught.value)


def content(*headers: str, method: str = "", bodies: tuple[Path, ...] = ()) -> bytes:
    return make_requests(parse_load_url("http://a/x"), method=method, headers=headers, bodies=bodies)[0].content


def test_a_request_without_a_body() -> None:
    assert content() == (
        b"GET /x HTTP/1.1\r\nHost: a\r\nAccept: */*\r\nAccept-Encoding: identity\r\nUser-Agent: penstock-load\r\n\r\n"
    )
    assert b"Content-Length: 0\r\n" in content(method="POST")


def test_headers_take_the_place_of_ours_of_the_same_name() -> None:
    made = content("host: b", "X-A: 1", "X-A: 2", "X-Empty:")
    assert made.count(b"ost: ") == 1
    assert b"\r\nhost: b\r\n" in made
    assert made.endswith(b"\r\nX-A: 1\r\nX-A: 2\r\nX-Empty: \r\n\r\n")


def test_a_body_has_the_type_of_its_bytes_else_of_its_name(tmp_path: Path) -> None:
    types = {}
    for name, body in (
        ("photo.dat", b"\x89PNG\r\n\x1a\n" + bytes(20)),
        ("a.json", b"{}"),
        ("unknown", b"x"),
    ):
        (tmp_path / name).write_bytes(body)
        made = content(bodies=(tmp_path / name,))
        head, _, sent = made.partition(b"\r\n\r\n")
        assert sent == body
        assert head.startswith(b"POST /x ")
        assert f"Content-Length: {len(body)}".encode() in head.split(b"\r\n")
        types[name] = next(line for line in head.split(b"\r\n") if line.startswith(b"Content-Type"))
    assert types == {
        "photo.dat": b"Content-Type: image/png",
        "a.json": b"Content-Type: application/json",
        "unknown": b"Content-Type: application/octet-stream",
    }


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ("NoColon", "there is no colon"),
        (": value", "is not a header"),
        ("Bad Name: 1", "'Bad Name' is not a header"),
        ("X: a\r\nY: b", "holds a line break"),
        ("Content-Length: 3", "the generator's to say"),
        ("connection: close", "the generator's to say"),
    ],
)
def test_headers_that_are_refused(header: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        content(header)


@pytest.mark.parametrize("method", ["GET /", "", "P\r\n", "CONNECT"])
def test_methods(method: str) -> None:
    if not method:
        assert content(method=method).startswith(b"GET ")
        return
    with pytest.raises(UsageError, match="--method"):
        content(method=method)


def test_a_body_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="the file is missing"):
        content(bodies=(tmp_path / "none",))
    with pytest.raises(UsageError, match="directory"):
        content(bodies=(tmp_path,))


def test_a_name_that_stands_for_nothing() -> None:
    with pytest.raises(WorldError, match=r"the name 'nothing\.invalid' stands for no address"):
        find_destination(parse_load_url("http://nothing.invalid/"))
