"""What a clip is compared with, frame by frame: true clips, trimap, true colours; held to be of one length and size."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import zip_longest
from pathlib import Path
from typing import Any

import numpy as np

from penstock.families.matting.files_of_case import CaseTruth, hold_size
from penstock.foundation.errors import UsageError
from penstock.foundation.files import open_regular
from penstock.foundation.media_kinds import recognise
from penstock.media.alpha_frames import check_lossless, read_alpha_frames
from penstock.media.rotation import turn_of
from penstock.media.video import read_frames, read_raw_frames

UNKNOWN = np.float64(128) / 255


def _trimaps(path: Path) -> Iterator[Any]:
    """Where each frame of a trimap leaves it open: grey 128 exactly."""
    for number, frame in enumerate(read_alpha_frames(path), 1):
        unknown = frame.alpha == UNKNOWN
        if not unknown.any():
            raise UsageError(
                f"no pixel of frame {number} of the trimap is 128, which marks what is unknown",
                where=str(path),
                todo="Mark it with 128, or leave the trimap out.",
            )
        yield unknown


_READ: Mapping[str, Callable[[Path], Iterator[Any]]] = {
    "truth": lambda path: (frame.alpha for frame in read_alpha_frames(path)),
    "trimap": _trimaps,
    "foreground": lambda path: (frame[:, :, ::-1] for frame in read_frames(path, fps=None)),
}


def is_clip(path: Path) -> bool:
    """Whether a file is a video, by its first bytes.

    Raises:
        UsageError: it cannot be opened.
    """
    with open_regular(path, where=str(path)) as file:
        found = recognise(file)
    return found is not None and found.kind == "video"


def read_known_clip(files: Mapping[str, tuple[Path, ...]]) -> Iterator[CaseTruth]:
    """What is known of each frame of a clip; one frame of each file is held.

    Args:
        files: ``truth`` (at least one), ``trimap``, ``foreground`` → clips.

    Raises:
        UsageError: one cannot be read, is no lossless matte, or is of another size or length than the first truth.
    """
    named = [(field, path) for field in _READ for path in files.get(field, ())]
    for field, path in named:
        if field != "foreground":
            check_lossless(path)
    first = files["truth"][0].name
    for count, pictures in enumerate(zip_longest(*(_READ[field](path) for field, path in named))):
        ended = [path.name for (_, path), picture in zip(named, pictures, strict=True) if picture is None]
        if ended:
            longer = next(path.name for (_, path), found in zip(named, pictures, strict=True) if found is not None)
            raise UsageError(
                f"'{ended[0]}' ends after {count} frames, and {longer} goes on", todo="They must be of one length."
            )
        found: dict[str, list[Any]] = {field: [] for field in _READ}
        for (field, path), picture in zip(named, pictures, strict=True):
            found[field].append(picture)
            height, width = pictures[0].shape
            hold_size(path.name, (picture.shape[1], picture.shape[0]), (width, height), first)
        yield CaseTruth(
            tuple(found["truth"]),
            found["trimap"][0] if found["trimap"] else None,
            np.ascontiguousarray(found["foreground"][0]) if found["foreground"] else None,
        )


def check_clip(inputs: Mapping[str, Path], files: Mapping[str, tuple[Path, ...]]) -> None:
    """Check that the clips of a case fit together: as many frames of one size, two at least.

    Raises:
        UsageError: they do not, or one cannot be read as what it is.
    """
    frames, size = 0, (0, 0)
    for known in read_known_clip(files):
        frames, size = frames + 1, known.size
    name = files["truth"][0].name
    if frames < 2:
        raise UsageError(
            f"'{name}' has {frames} frame{'' if frames == 1 else 's'}, and a clip has two at least",
            todo="Put a single picture to the model as an image.",
        )
    if "video" not in inputs:
        return
    count, shown = 0, (0, 0)
    for frame in read_raw_frames(inputs["video"], fps=None):
        count += 1
        shown = (frame.height, frame.width) if turn_of(frame).sideways else (frame.width, frame.height)
    hold_size(name, size, shown, "the clip that the model gets, upright,")
    if count != frames:
        raise UsageError(
            f"'{name}' has {frames} frames, and the clip that the model gets has {count}",
            todo="Give a true matte for each frame.",
        )
