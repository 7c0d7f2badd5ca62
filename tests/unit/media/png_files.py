"""PNG files, chunk by chunk, as encoders that are not ours write them."""

from __future__ import annotations

import struct
import zlib

SIGNATURE = b"\x89PNG\r\n\x1a\n"
GREY, RGB, PALETTE, GREY_ALPHA, RGBA = 0, 2, 3, 4, 6
END = b"\0\0\0\0IEND\xaeB`\x82"


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def header(kind: int, depth: int, width: int, height: int) -> bytes:
    return SIGNATURE + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, kind, 0, 0, 0))


def png(kind: int, depth: int, rows: list[bytes], width: int, *, before: bytes = b"") -> bytes:
    """A whole PNG of unfiltered rows; ``before``: chunks ahead of the pixels."""
    pixels = zlib.compress(b"".join(b"\0" + row for row in rows))
    return header(kind, depth, width, len(rows)) + before + chunk(b"IDAT", pixels) + END
