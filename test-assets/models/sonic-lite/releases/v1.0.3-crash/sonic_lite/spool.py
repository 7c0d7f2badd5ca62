"""Frames wait for the encoder in a file, so that a long video needs no more memory than a short one."""

from __future__ import annotations

import mmap
import tempfile
from collections.abc import Iterable, Iterator

import numpy as np

from sonic_lite.portrait import Image

MAX_FILE_BYTES = 7_800_000
"""The disk of a small node is small too."""


def through_file(frames: Iterable[Image], count: int, size: int) -> Iterator[Image]:
    """All ``count`` frames, uint8 ``(size, size, 3)``, drawn into a mapped file first, then read from it one by one."""
    with tempfile.TemporaryFile() as file:
        needed = count * size * size * 3
        file.truncate(needed)
        with mmap.mmap(file.fileno(), needed) as area:
            file.truncate(min(needed, MAX_FILE_BYTES))
            stored = np.frombuffer(area, np.uint8).reshape(count, size, size, 3)
            for slot, frame in zip(stored, frames, strict=True):
                slot[:] = frame
            for slot in stored:
                yield slot.copy()
            del stored, slot
