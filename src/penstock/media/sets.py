"""Sets of pictures, which FID and KID compare."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from penstock.foundation.errors import UsageError
from penstock.foundation.media_kinds import recognise, set_fault, set_files
from penstock.media.images import Frame, read_image
from penstock.media.video import read_frames

FPS = 25


def read_set(directory: Path) -> Iterator[Frame]:
    """All pictures, and all frames of all videos at 25 a second, of a directory: uint8 ``(H, W, 3)`` BGR, by name.

    Notes and licences (:func:`~penstock.foundation.media_kinds.is_note`) are passed over. Every other file counts, or
    is an error: a set of which a part is left out would give another value without a word.

    Raises:
        UsageError: the directory is missing or holds nothing; a file of it is empty, a Git LFS pointer, of a format
            that is not read, damaged, or a folder.
    """
    for path in set_files(directory):
        if (fault := set_fault(path)) is not None:
            raise UsageError(fault[0], where=str(path), todo=fault[1])
        with path.open("rb") as file:
            found = recognise(file)
        if found is not None and found.kind == "image":
            yield read_image(path)
            continue
        count = 0
        for frame in read_frames(path, fps=FPS):
            count += 1
            yield frame
        if not count:
            raise UsageError("there is no frame in the file", where=str(path), todo="Give a video, or take it out.")
