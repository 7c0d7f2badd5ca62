"""Which track of a file is read where there are several of a kind: the one that FFmpeg and players take."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from av.stream import Disposition


@dataclass(frozen=True)
class Track:
    """A stream, and a ``remark`` for people where it was one of several; else empty."""

    stream: Any
    remark: str


def chosen(streams: Sequence[Any]) -> Track | None:
    """The track to read of a file's video or audio streams, as the program ``ffmpeg`` chooses: one that is marked as
    the default, of those the one with the largest picture or the most channels, of those the first. A cover picture is
    no video. ``None`` if there is none.
    """
    tracks = [stream for stream in streams if not stream.disposition & Disposition.attached_pic]
    if not tracks:
        return None
    best = max(tracks, key=_rank)  # the first of equals
    return Track(best, _remark(best, tracks) if len(tracks) > 1 else "")


def _rank(stream: Any) -> tuple[bool, bool, int]:
    codec = stream.codec_context
    if codec is None:
        return (False, False, 0)
    size = codec.width * codec.height if stream.type == "video" else codec.channels
    return (True, bool(stream.disposition & Disposition.default), size)


def _remark(best: Any, tracks: list[Any]) -> str:
    kind = "video" if best.type == "video" else "sound"
    default = bool(best.disposition & Disposition.default)
    why = ", which is marked as the default," if default else ""
    return f"there are {len(tracks)} {kind} tracks: number {tracks.index(best) + 1}{why} is read"
