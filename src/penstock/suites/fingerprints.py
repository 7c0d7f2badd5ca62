"""What a file of a suite shows: its SHA-256, and for pictures and videos what tells that another shows the same."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from penstock.foundation.errors import UsageError
from penstock.foundation.files import open_regular, sha256_file
from penstock.foundation.media_kinds import recognise
from penstock.media.images import read_image
from penstock.media.video import read_frames
from penstock.suites.picture_hash import picture_hash

MOMENTS = (0.25, 0.5, 0.75)
"""Of a video, as shares of its length: the frames that stand for it. Its first often shows less."""
EVERY = 200
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Fingerprint:
    """One file.

    Attributes:
        sha256: of the file as it is.
        hashes: of the picture, or of the frames at :data:`MOMENTS` of a video; none of a sound, of a text, and of what
            cannot be decoded (which *plan* refuses, unless the model must).
    """

    sha256: str
    hashes: tuple[int, ...] = ()


def fingerprints(files: Iterable[Path], progress: Progress = lambda _done, _all: None) -> dict[Path, Fingerprint]:
    """The fingerprint of each file. ``progress`` hears how many of how many are done.

    Raises:
        UsageError: a file is missing, or none.
    """
    found = sorted(set(files))
    made: dict[Path, Fingerprint] = {}
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        for file, fingerprint in zip(found, pool.map(fingerprint_of, found), strict=True):
            made[file] = fingerprint
            if len(made) % EVERY == 0:
                progress(len(made), len(found))
    return made


def fingerprint_of(path: Path) -> Fingerprint:
    """Of one file. Raises UsageError: it is missing, or no regular file."""
    with open_regular(path, where=str(path)) as file:
        known = recognise(file)
    digest = sha256_file(path)
    try:
        if known is not None and known.kind == "image":
            return Fingerprint(digest, (picture_hash(read_image(path)),))
        if known is not None and known.kind == "video":
            return Fingerprint(digest, tuple(_moments(path)))
    except UsageError:
        pass  # broken, as a case may be that the model must refuse: nothing but the very same file is like it
    return Fingerprint(digest)


def _moments(path: Path) -> Iterator[int]:
    """Hashes are made of all frames: how many there are is known at the end, and is not to be believed before."""
    hashes = [picture_hash(frame) for frame in read_frames(path, fps=5)]
    return (hashes[int(share * len(hashes))] for share in MOMENTS)
