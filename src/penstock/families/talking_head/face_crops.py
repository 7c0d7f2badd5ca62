"""Which face of a video its lip sync is of, and the pictures of it that SyncNet looks at."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from penstock.metrics.face import CROP_SIZE, Box, FaceTrack, crop_with_box, crop_with_track, find_track

Frame = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Face:
    """Where the face of a video is. Made by :func:`choose_face`.

    Attributes:
        box: where it is in the median, in pixels; ``None``: every frame is a finished crop of it.
        track: where it is in each frame, if it was searched.
    """

    box: Box | None
    track: FaceTrack | None = None

    @property
    def first(self) -> int:
        """The first frame that shows it."""
        return self.track.first if self.track is not None else 0

    @property
    def frames(self) -> int | None:
        """How many frames from the first on it can be seen; ``None``: to the end."""
        return len(self.track.boxes) if self.track is not None else None

    def crops(self, frames: Iterable[Frame], *, where: str = "") -> Iterator[Frame]:
        """The face alone, from the first frame that shows it on.

        Args:
            frames: of the whole video, from its beginning; uint8, BGR.
            where: the video, for messages.

        Returns:
            uint8 pictures of 224 x 224, BGR.

        Raises:
            UsageError: the face lies outside the picture, or the frames cannot be read.
        """
        if self.track is not None:
            return crop_with_track(frames, self.track)
        return iter(frames) if self.box is None else crop_with_box(frames, self.box, where=where)


def choose_face(
    width: int, height: int, box: Box | None, search: Callable[[], Iterable[Frame]], *, where: str = ""
) -> Face:
    """Decide which face a video is about.

    It is where ``box`` says. Without that, a video of 224 x 224 is a finished crop, and in any other the face is
    searched: the one that is seen in most frames, of equals the largest.

    Args:
        width: of the video, in pixels.
        height: of the video, in pixels.
        box: where the face is, in pixels, if that is known.
        search: gives all frames; called only where the face must be searched.
        where: the video, for messages.

    Raises:
        UsageError: no face is found, or the frames cannot be read.
    """
    if box is not None:
        return Face(box)
    if (width, height) == (CROP_SIZE, CROP_SIZE):
        return Face(None)
    track = find_track(search(), where=where)
    return Face(track.median_box(), track)
