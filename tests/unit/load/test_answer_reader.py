"""Answers are read as h11 reads them, however they are cut into pieces, and within limits."""

from __future__ import annotations

import itertools

import h11
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from penstock.load.answer_reader import AnswerReader, BrokenAnswerError

HEADS = st.lists(
    st.sampled_from(
        [
            b"HTTP/1.1 200 OK\r\n",
            b"HTTP/1.0 200 OK\r\n",
            b"HTTP/1.1 500\r\n",
            b"HTTP/1.1 204 No Content\r\n",
            b"HTTP/1.1 304 Not Modified\r\n",
            b"HTTP/1.1 100 Continue\r\n",
            b"HTTP/1.1 20 OK\r\n",
            b"HTTP/2 200 OK\r\n",
            b"Content-Length: 5\r\n",
            b"Content-Length: 5, 5\r\n",
            b"content-length: 0\r\n",
            b"Content-Length: -1\r\n",
            b"Content-Length: five\r\n",
            b"Transfer-Encoding: chunked\r\n",
            b"Transfer-Encoding: gzip\r\n",
            b"Connection: close\r\n",
            b"Connection: keep-alive\r\n",
            b"X-Name: \xe5\x90\x8d\r\n",
            b"X-Empty:\r\n",
            b"Bad Name: 1\r\n",
            b"no colon\r\n",
            b"Line: feed alone\n",
            b"\r\n",
            b"\n",
            b"hello",
            b"5\r\nhello\r\n",
            b"5;a=b\r\nhello\r\n",
            b"0\r\n",
            b"0\r\n\r\n",
            b"Trailer: 1\r\n",
            b"G\r\n",
            b"\x00",
        ]
    ),
    max_size=9,
).map(b"".join)
WELL_FORMED = b"HTTP/1.1 200 OK\r\n"


def by_h11(content: bytes, method: str) -> tuple[int, int] | None:
    """Status and length of the body, of a whole answer that ends with the connection; ``None`` if it is not one."""
    connection = h11.Connection(h11.CLIENT)
    connection.send(h11.Request(method=method, target="/", headers=[("Host", "a")]))
    connection.send(h11.EndOfMessage())
    status = length = 0
    try:
        connection.receive_data(content)
        if content:
            connection.receive_data(b"")
        while True:
            match connection.next_event():
                case h11.Response() as response:
                    status = response.status_code
                case h11.Data() as data:
                    length += len(data.data)
                case h11.EndOfMessage():
                    return None if connection.trailing_data[0] else (status, length)
                case h11.InformationalResponse():
                    pass
                case _:
                    return None
    except h11.RemoteProtocolError:
        return None


def by_ours(content: bytes, method: str, cuts: list[int]) -> tuple[int, int] | None:
    """The same."""
    reader = AnswerReader(method)
    places = sorted({0, len(content), *(cut for cut in cuts if cut < len(content))})
    try:
        for begin, end in itertools.pairwise(places):
            if reader.feed(content[begin:end]):
                return (reader.status, reader.body_bytes) if end == len(content) else None
        reader.end()
    except BrokenAnswerError:
        return None
    return reader.status, reader.body_bytes


@pytest.mark.slow
@settings(max_examples=100, deadline=None, derandomize=True)
@given(HEADS, st.sampled_from(["GET", "HEAD", "POST"]), st.lists(st.integers(1, 200), max_size=6))
@example(WELL_FORMED + b"Content-Length: 5\r\n\r\nhello", "GET", [1, 16, 17, 18, 36, 37, 38, 39, 40])
@example(WELL_FORMED + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nT: 1\r\n\r\n", "GET", list(range(100)))
def test_h11_reads_the_same(tail: bytes, method: str, cuts: list[int]) -> None:
    for content in (tail, WELL_FORMED + tail):
        assert by_ours(content, method, cuts) == by_h11(content, method), content


def whole(content: bytes, method: str = "GET") -> AnswerReader:
    reader = AnswerReader(method)
    assert reader.feed(content)
    return reader


@pytest.mark.parametrize(
    ("content", "reusable"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", True),
        (b"HTTP/1.1 200 OK\r\nConnection: Close\r\nContent-Length: 0\r\n\r\n", False),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n", False),
        (b"HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\nContent-Length: 0\r\n\r\n", True),
    ],
)
def test_whether_the_connection_is_kept(content: bytes, reusable: bool) -> None:
    assert whole(content).reusable is reusable


def test_an_answer_until_the_connections_end_is_whole_at_that() -> None:
    reader = AnswerReader("GET")
    assert not reader.feed(b"HTTP/1.1 200 OK\r\n\r\nsome")
    assert not reader.feed(b" more")
    reader.end()
    assert (reader.status, reader.body_bytes, reader.reusable) == (200, 9, False)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"HTTP/1.1 200 OK\r\n" + b"X: " + b"y" * 70_000, "headers are larger than 64 KiB"),
        ((b"HTTP/1.1 100 Continue\r\n" + b"X: y\r\n" * 1000 + b"\r\n") * 11, "headers are larger"),
        (WELL_FORMED + b"Content-Length: 99999999999\r\n\r\n", "larger than 64 MiB"),
        (WELL_FORMED + b"Transfer-Encoding: chunked\r\n\r\n1;" + b"x" * 5000, "line of the chunked answer is too long"),
        (WELL_FORMED + b"Transfer-Encoding: chunked\r\n\r\n0\r\n" + b"X: y\r\n" * 20_000, "trailers are too large"),
        (b"HTTP/1.1 101 Switching\r\n\r\n", "another protocol"),
        (b"\x16\x03\x01\x02\x00", "not an HTTP answer"),
    ],
)
def test_limits(content: bytes, message: str) -> None:
    reader = AnswerReader("GET")
    with pytest.raises(BrokenAnswerError, match=message):
        reader.feed(content)


def test_what_is_kept_of_a_dripping_answer_is_bounded() -> None:
    reader = AnswerReader("GET")
    reader.feed(b"HTTP/1.1 200 OK\r\nX: ")
    for _ in range(65):
        reader.feed(b"y" * 1000)
    with pytest.raises(BrokenAnswerError, match="larger than 64 KiB"):
        reader.feed(b"y" * 1000)
