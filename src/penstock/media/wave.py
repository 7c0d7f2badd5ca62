"""What a WAV file's header says about its length, which need not be true: who writes into a pipe cannot know it."""

from __future__ import annotations

from typing import BinaryIO

_PLACEHOLDERS_FROM = 0x7FF0_0000
"""Lengths from here on mean nothing: programs write 0, 2 GiB, 4 GiB or a little less, and no such file is read."""
_UNKNOWN = 0xFFFF_FFFF
_MOST_CHUNKS = 1000


def promised_bytes(file: BinaryIO, file_bytes: int) -> tuple[int, int] | None:
    """How many bytes of sound the header promises, and how many are there; ``None``: it makes no promise.

    Args:
        file: a RIFF, RF64 or BW64 file of the form WAVE.
        file_bytes: its size.
    """
    long_length = _UNKNOWN
    at = 12
    for _ in range(_MOST_CHUNKS):
        file.seek(at)
        head = file.read(24)
        name, length = head[:4], int.from_bytes(head[4:8], "little")
        if len(head) < 8:
            return None
        if name == b"ds64" and len(head) == 24:
            long_length = int.from_bytes(head[16:24], "little")
        if name == b"data":
            length = long_length if length == _UNKNOWN else length
            return (length, file_bytes - at - 8) if 0 < length < _PLACEHOLDERS_FROM else None
        at += 8 + length + length % 2
    return None
