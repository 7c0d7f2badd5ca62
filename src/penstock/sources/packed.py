"""Compressed files, as loaders of pickles unpack them before they look inside."""

from __future__ import annotations

import bz2
import lzma
import zlib
from collections.abc import Callable
from typing import IO, Protocol

_MAGIC = {
    b"\x1f\x8b": "gzip",
    b"BZh": "bzip2",
    b"\xfd7zXZ\x00": "xz",
    b"\x5d\x00\x00": "lzma",
    b"\x78\x01": "zlib",
    b"\x78\x5e": "zlib",
    b"\x78\x9c": "zlib",
    b"\x78\xda": "zlib",
    b"7z\xbc\xaf": "7z",
    b"\x28\xb5\x2f\xfd": "zstd",
    b"\x04\x22\x4d\x18": "lz4",
}
FED_BYTES = 1024
"""Less than loaders feed at a time, so that no loader gets further into a damaged stream than we do."""


class _Decoder(Protocol):
    @property
    def eof(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int = ..., /) -> bytes: ...


_DECODERS: dict[str, Callable[[], _Decoder]] = {
    "gzip": lambda: zlib.decompressobj(wbits=31),
    "zlib": zlib.decompressobj,
    "bzip2": bz2.BZ2Decompressor,
    "xz": lzma.LZMADecompressor,
    "lzma": lzma.LZMADecompressor,
}


def compression(start: bytes) -> str:
    """What a file that begins so seems to be compressed with; empty if with nothing."""
    return next((kind for magic, kind in _MAGIC.items() if start.startswith(magic)), "")


def unpacked(file: IO[bytes], kind: str, limit: int) -> bytes | None:
    """What is compressed in ``file``: at most ``limit`` + 1 bytes; ``None`` if it is damaged or not of a known kind.

    Nothing is left out of a stream that ends early: a loader has run its beginning before it finds that out.
    """
    if kind not in _DECODERS:
        return None
    content, decoder = bytearray(), _DECODERS[kind]()
    try:
        while len(content) <= limit:
            if decoder.eof:  # another stream may follow, and is part of the same content
                given = decoder.unused_data or file.read(FED_BYTES)
                decoder = _DECODERS[kind]()
            else:
                given = getattr(decoder, "unconsumed_tail", b"")
                if not given and getattr(decoder, "needs_input", True):
                    given = file.read(FED_BYTES)
            more = decoder.decompress(given, limit + 1 - len(content))
            content += more
            if not given and not more:
                break
    except (OSError, EOFError, ValueError, zlib.error, lzma.LZMAError):
        return bytes(content) or None
    return bytes(content)
