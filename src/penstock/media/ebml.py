"""Whether a Matroska file is whole in its structure. FFmpeg passes over what it cannot read, to the next cluster: the
pictures and the sound in between are lost without a word.
"""

from __future__ import annotations

from typing import BinaryIO

_HEADER = 0x1A45DFA3
_SEGMENT = 0x18538067
_CLUSTER = 0x1F43B675
_IN_A_CLUSTER = frozenset({0xE7, 0xA3, 0xA0, 0xAB, 0xA7, 0x5854, 0xAF, 0xEC, 0xBF})
_AFTER_A_CLUSTER = frozenset(
    {_HEADER, _CLUSTER, 0x1C53BB6B, 0x1254C367, 0x114D9B74, 0x1549A966, 0x1654AE6B, 0x1043A770, 0x1941A469, 0xEC, 0xBF}
)
"""What may follow a cluster whose length is not said: cues, tags, seek heads, information, tracks, chapters,
attachments; space and checksums; a second file.
"""
_MOST_HEADER_BYTES = 12


def damaged_at(file: BinaryIO, file_bytes: int) -> int | None:
    """The first byte at which an element should begin and does not; ``None``: the structure is whole.

    A file that is cut off is whole as far as it goes: what is missing, its header tells.

    Args:
        file: a Matroska or WebM file.
        file_bytes: its size.
    """
    at, end, cluster_end = 0, file_bytes, 0
    in_cluster = False
    while at + _MOST_HEADER_BYTES <= end:
        found = _element(file, at)
        if found is None:
            return at
        name, header, length = found
        if in_cluster and (at >= cluster_end or (cluster_end == end and name in _AFTER_A_CLUSTER - {0xEC, 0xBF})):
            in_cluster = False
        if in_cluster and name not in _IN_A_CLUSTER:
            return at
        if name == _SEGMENT and not in_cluster:
            end = end if length is None else min(end, at + header + length)
        elif name == _CLUSTER:
            in_cluster = True
            cluster_end = end if length is None else min(end, at + header + length)
        elif length is None:
            return at
        else:
            if in_cluster and at + header + length > cluster_end < end:
                return at
            at += length
        at += header
    return None


def _element(file: BinaryIO, at: int) -> tuple[int, int, int | None] | None:
    """Name, bytes of the header, and length (``None``: not said) of the element at a place; ``None``: there is none."""
    file.seek(at)
    head = file.read(_MOST_HEADER_BYTES)
    size = 9 - head[0].bit_length() if head[0] else 9
    if size > 4:
        return None
    name = int.from_bytes(head[:size], "big")
    width = 9 - head[size].bit_length() if head[size] else 9
    if width > 8:
        return None
    most = (1 << 7 * width) - 1
    length = int.from_bytes(head[size : size + width], "big") & most
    return name, size + width, None if length == most else length
