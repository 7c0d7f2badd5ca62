"""One HTTP answer, read piece by piece. Its body is counted, and thrown away unless it is wanted; nothing is
decompressed.

Made for speed: a generator of load reads thousands of answers a second, and h11 takes several times as long for one.
What is accepted is what h11 accepts (a test compares the two), within the limits below.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from enum import IntEnum
from typing import Final

MAX_HEAD_BYTES: Final = 64 << 10
"""Status line and headers, or the trailers; also of all interim answers together."""
MAX_BODY_BYTES: Final = 64 << 20
MAX_CHUNK_LINE_BYTES: Final = 4 << 10
_STATUS = re.compile(rb"HTTP/1\.([01]) ([1-9][0-9][0-9])(?: [^\x00]*)?")
_HEADER = re.compile(rb"([!#$%&'*+\-.^_`|~0-9A-Za-z]+):[ \t]*([^\x00\r]*)")
_END_OF_HEAD = re.compile(rb"\n\r?\n")
_LINE_BREAK = re.compile(rb"\r?\n")
_CHUNK = re.compile(rb"([0-9a-fA-F]{1,16})[ \t]*(?:;[^\x00\r\n]*)?")


class BrokenAnswerError(Exception):
    """This is not an HTTP answer, or not a whole one; the message says why, in words."""


class _Stage(IntEnum):
    HEAD = 0
    LENGTH = 1
    UNTIL_CLOSE = 2
    CHUNK_LINE = 3
    CHUNK_DATA = 4
    CHUNK_END = 5
    TRAILERS = 6
    WHOLE = 7


class AnswerReader:
    """Reads the answer to one request.

    Args:
        method: that of the request: an answer to ``HEAD`` has no body.
        keep: takes each piece of the body; ``None``: it is thrown away.
    """

    __slots__ = (
        "_head_left",
        "_keep",
        "_kept",
        "_left",
        "_method",
        "_stage",
        "body_bytes",
        "reusable",
        "started",
        "status",
    )

    def __init__(self, method: str, keep: Callable[[bytes], None] | None = None) -> None:
        self._keep = keep
        self.status = 0
        """0 until the head is there."""
        self.reusable = False
        """Whether the connection may carry another request, once the answer is whole."""
        self.started = False
        """Whether a single byte has come."""
        self.body_bytes = 0
        self._method = method
        self._stage = _Stage.HEAD
        self._left = 0
        self._head_left = MAX_HEAD_BYTES
        self._kept = b""

    def feed(self, data: bytes) -> bool:
        """Take what has come; returns whether the answer is whole now.

        Raises:
            BrokenAnswerError: see the class. ``status`` is set if the head could be read.
        """
        self.started = True
        if self._kept:
            data = self._kept + data
        position = 0
        while (after := self._step(data, position)) is not None:
            position = after
            if self._stage == _Stage.WHOLE:
                if position < len(data):
                    raise BrokenAnswerError("the answer is longer than it said")
                return True
        self._kept = data[position:]
        return False

    def end(self) -> None:
        """The other side has closed the connection, which ends an answer without a stated length.

        Raises:
            BrokenAnswerError: the answer is not whole.
        """
        if self._stage != _Stage.UNTIL_CLOSE:
            raise BrokenAnswerError("the connection was closed in the middle of the answer")

    def _step(self, data: bytes, position: int) -> int | None:
        """Read one part; returns the position after it, ``None`` where more has to come first."""
        stage = self._stage
        if stage == _Stage.HEAD:
            return self._read_head(data, position)
        if position == len(data):
            return None
        if stage in (_Stage.LENGTH, _Stage.CHUNK_DATA):
            taken = min(self._left, len(data) - position)
            self._left -= taken
            self._took(data, position, taken)
            if self._left == 0:
                self._stage = _Stage.WHOLE if stage == _Stage.LENGTH else _Stage.CHUNK_END
            return position + taken
        if stage == _Stage.UNTIL_CLOSE:
            self._took(data, position, len(data) - position)
            return len(data)
        if stage == _Stage.TRAILERS:
            return self._read_trailers(data, position)
        return self._read_chunk_line(data, position)

    def _took(self, data: bytes, position: int, taken: int) -> None:
        self.body_bytes += taken
        if self._keep is not None:
            self._keep(data[position : position + taken])
        if self.body_bytes > MAX_BODY_BYTES:
            raise BrokenAnswerError(f"the answer is larger than {MAX_BODY_BYTES >> 20} MiB")

    def _read_head(self, data: bytes, position: int) -> int | None:
        found = _END_OF_HEAD.search(data, position)
        end = found.end() if found else len(data)
        if end - position > self._head_left:
            raise BrokenAnswerError(f"the answer's headers are larger than {MAX_HEAD_BYTES >> 10} KiB")
        if found is None:
            if not b"HTTP/".startswith(data[position : position + 5]):
                raise BrokenAnswerError("what came is not an HTTP answer")
            return None
        self._head_left -= end - position
        status_line, *lines = _LINE_BREAK.split(data[position : found.start()].removesuffix(b"\r"))
        status = _STATUS.fullmatch(status_line)
        if status is None:
            raise BrokenAnswerError("what came is not an HTTP/1 answer")
        self.status = int(status[2])
        headers = _framing(lines)
        if self.status < 200:
            if self.status == 101:
                raise BrokenAnswerError("the service changed to another protocol")
            return end
        connection = headers.get(b"connection", b"").lower()
        kept_open = b"keep-alive" in connection if status[1] == b"0" else b"close" not in connection
        self._begin_body(headers, kept_open)
        return end

    def _begin_body(self, headers: dict[bytes, bytes], kept_open: bool) -> None:
        self.reusable = kept_open
        if self._method == "HEAD" or self.status in (204, 304):
            self._stage = _Stage.WHOLE
        elif (coding := headers.get(b"transfer-encoding")) is not None:
            if coding.strip().lower() != b"chunked":
                raise BrokenAnswerError("the answer's transfer encoding is not 'chunked'")
            self._stage = _Stage.CHUNK_LINE
        elif (said := headers.get(b"content-length")) is not None:
            self._left = _length(said)
            self._stage = _Stage.LENGTH if self._left else _Stage.WHOLE
            if self._left > MAX_BODY_BYTES:
                raise BrokenAnswerError(f"the answer is larger than {MAX_BODY_BYTES >> 20} MiB")
        else:
            self.reusable = False
            self._stage = _Stage.UNTIL_CLOSE

    def _read_chunk_line(self, data: bytes, position: int) -> int | None:
        end = data.find(b"\n", position)
        if (end if end >= 0 else len(data)) - position > MAX_CHUNK_LINE_BYTES:
            raise BrokenAnswerError("a line of the chunked answer is too long")
        if end < 0:
            return None
        line = data[position:end].removesuffix(b"\r")
        if self._stage == _Stage.CHUNK_END:
            if line:
                raise BrokenAnswerError("a chunk of the answer is longer than it said")
            self._stage = _Stage.CHUNK_LINE
            return end + 1
        size = _CHUNK.fullmatch(line)
        if size is None:
            raise BrokenAnswerError("the size of a chunk of the answer cannot be read")
        self._left = int(size[1], 16)
        self._stage = _Stage.CHUNK_DATA if self._left else _Stage.TRAILERS
        return end + 1

    def _read_trailers(self, data: bytes, position: int) -> int | None:
        end = data.find(b"\n", position)
        after = end + 1 if end >= 0 else len(data)
        if after - position > self._head_left:
            raise BrokenAnswerError("the answer's trailers are too large")
        if end < 0:
            return None
        self._head_left -= after - position
        if data[position:end] in (b"", b"\r"):
            self._stage = _Stage.WHOLE
        return after


_FRAMING: Final = frozenset({b"content-length", b"transfer-encoding", b"connection"})


def _framing(lines: list[bytes]) -> dict[bytes, bytes]:
    """The headers that say where the answer ends; one that is there several times with commas between."""
    found: dict[bytes, bytes] = {}
    name = b""
    for line in lines:
        if line[:1] in (b" ", b"\t") and name and name not in _FRAMING:
            continue  # the header before it goes on, as HTTP once allowed
        header = _HEADER.fullmatch(line)
        if header is None:
            raise BrokenAnswerError("a header of the answer cannot be read")
        name = header[1].lower()
        if name in _FRAMING:
            found[name] = found[name] + b"," + header[2] if name in found else header[2]
    return found


def _length(said: bytes) -> int:
    lengths = {part.strip(b" \t") for part in said.split(b",")}
    text = lengths.pop()
    if lengths or not text.isdigit() or len(text) > 20:
        raise BrokenAnswerError("the answer's Content-Length cannot be read")
    return int(text)
