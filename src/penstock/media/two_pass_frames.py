"""Two passes over the frames of a video that is decoded once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from penstock.media.container import DEFAULT_LIMITS, MediaLimits
from penstock.media.video import BgrConverter, Frame, read_raw_frames

MOST_BYTES = 128 << 20
"""What is held of a video, as the decoder gave it: 13 s of 512 × 512 at 25 frames a second."""


class HeldFrames:
    """The frames of a video, to be looked at once ahead and then once for good.

    ``ahead`` keeps what it decodes, in the decoder's own planes, which are half as large as BGR; iterating takes that
    and lets it go. A video that is larger than ``most_bytes`` is not kept but decoded again: memory is bounded, not the
    length of a clip.
    """

    def __init__(
        self, path: Path, *, fps: float, limits: MediaLimits = DEFAULT_LIMITS, most_bytes: int = MOST_BYTES
    ) -> None:
        self._path, self._fps, self._limits, self._most_bytes = path, fps, limits, most_bytes
        self._kept: list[Any] | None = None

    def ahead(self) -> Iterator[Frame]:
        """As :func:`penstock.media.read_frames`."""
        held: list[Any] | None = []
        size = 0
        to_bgr = BgrConverter()
        for frame in self._decoded():
            if held is not None:
                held.append(frame)
                size += sum(plane.buffer_size for plane in frame.planes)
                held = held if size <= self._most_bytes else None
            yield to_bgr(frame)
        self._kept = held

    def __iter__(self) -> Iterator[Frame]:
        """As :func:`penstock.media.read_frames`."""
        kept, self._kept = self._kept, None
        to_bgr = BgrConverter()
        if kept is None:
            yield from map(to_bgr, self._decoded())
            return
        kept.reverse()
        while kept:
            yield to_bgr(kept.pop())

    def _decoded(self) -> Iterator[Any]:
        return read_raw_frames(self._path, fps=self._fps, limits=self._limits)
