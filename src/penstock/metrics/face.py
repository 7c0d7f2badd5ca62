"""Where the face is in a video, and the crop of it that SyncNet looks at.
 The crop is the reference's (joonson/syncnet_python, MIT): a square around the face box, from one half-side above its
centre to 1.8 below and 1.4 to either side (crop scale 0.40), median-filtered over 13 frames, on a border of grey 110,
scaled to 224x224. The detector is not: the reference's S3FD is slow, and its weights are not Penstock's to ship.
OpenCV's Haar cascade is in every OpenCV; its boxes lie a little differently, so a number from it compares with itself
only. For a portrait whose face box is known, give the box.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from penstock.foundation.errors import UsageError, WorldError
from penstock.metrics.median import median_filter

Frame = npt.NDArray[np.uint8]

CROP_SIZE = 224
CROP_SCALE = 0.40
MEDIAN_FRAMES = 13
_BORDER_GREY = 110
_GAP_FRAMES = 25
"""A face that is not found for so many frames is the same face when it is found again (1 s)."""
_SAME_FACE = 0.5
"""Least overlap (intersection over union) of the boxes of one face in consecutive finds."""
_LEAST_SHARE = 0.5
"""A track must be found in this share of the clip's frames."""
_LEAST_FRAMES = 25
"""A track of so many finds (1 s) is one of a clip's faces, however long the clip."""
_DETECT_SIDE = 360
"""Frames are scaled down to this many pixels of their shorter side before faces are looked for."""
_ADVICE_BOX = "Give the face's box with --face-box x,y,w,h (pixels of the video)."


@dataclass(frozen=True)
class Box:
    """A face box in pixels: left, top, right, bottom (right and bottom are outside)."""

    left: float
    top: float
    right: float
    bottom: float

    @property
    def area(self) -> float:
        """Square pixels."""
        return (self.right - self.left) * (self.bottom - self.top)

    def overlap(self, other: Box) -> float:
        """Intersection over union, 0 to 1."""
        width = min(self.right, other.right) - max(self.left, other.left)
        height = min(self.bottom, other.bottom) - max(self.top, other.top)
        shared = max(0.0, width) * max(0.0, height)
        return shared / (self.area + other.area - shared)


@dataclass(frozen=True)
class FaceTrack:
    """One face through a clip: ``boxes[i]`` is its box in frame ``first + i``."""

    first: int
    boxes: tuple[Box, ...]

    def median_box(self) -> Box:
        """Where the face is in the median, side by side."""
        sides = np.median([(box.left, box.top, box.right, box.bottom) for box in self.boxes], axis=0)
        return Box(*map(float, sides))


def parse_box(text: str) -> Box:
    """Read ``x,y,w,h`` (pixels, left top corner and size).

    Raises:
        UsageError: not four numbers, or an empty box.

    Example:
        >>> parse_box("60,40,128,100")
        Box(left=60.0, top=40.0, right=188.0, bottom=140.0)
    """
    try:
        x, y, width, height = (float(part) for part in text.split(","))
    except ValueError:
        raise UsageError(
            f"'{text[:80]}' is not a box", where="--face-box", todo="Write x,y,w,h, for example 60,40,128,128."
        ) from None
    return box_at(x, y, width, height, where="--face-box")


def box_at(x: float, y: float, width: float, height: float, *, where: str) -> Box:
    """The box with this left top corner and size, in pixels.

    Raises:
        UsageError: it is empty or absurd; ``where`` is as given.

    Example:
        >>> box_at(60, 40, 128, 100, where="face_box").area
        12800
    """
    if not all(np.isfinite([x, y, width, height])) or width < 1 or height < 1 or max(width, height) > 1e5:
        raise UsageError(
            f"the box '{x:g},{y:g},{width:g},{height:g}' is empty or absurd",
            where=where,
            todo="Write x,y,w,h in pixels.",
        )
    return Box(x, y, x + width, y + height)


def crop_with_box(frames: Iterable[Frame], box: Box, *, where: str = "") -> Iterator[Frame]:
    """The reference's crop of each frame around one fixed box.

    Args:
        frames: uint8 ``(H, W, 3)``.
        box: its centre must be in the picture.
        where: name of the clip, for errors.

    Yields:
        uint8 ``(224, 224, 3)``.

    Raises:
        UsageError: the box lies outside the picture, or is larger than it by far.

    Example:
        >>> frames = np.full((3, 300, 400, 3), 90, np.uint8)
        >>> [crop.shape for crop in crop_with_box(frames, Box(100, 100, 200, 200))]
        [(224, 224, 3), (224, 224, 3), (224, 224, 3)]
    """
    half, x, y = _square(box)
    for frame in frames:
        height, width = frame.shape[:2]
        if not (0 <= x < width and 0 <= y < height) or half > max(width, height):
            raise UsageError(
                f"the face box does not fit the picture of {width}x{height} pixels", where=where, todo=_ADVICE_BOX
            )
        yield crop(frame, half, x, y)


def crop_with_track(frames: Iterable[Frame], track: FaceTrack) -> Iterator[Frame]:
    """The reference's crop of the frames that a track covers, around its median-filtered boxes.

    Args:
        frames: uint8 ``(H, W, 3)``, all frames of the clip from the first one on.
        track: where the face is.

    Yields:
        uint8 ``(224, 224, 3)`` for each of the track's frames.

    Example:
        >>> frames = np.full((5, 300, 400, 3), 90, np.uint8)
        >>> track = FaceTrack(first=2, boxes=(Box(100, 100, 200, 200), Box(104, 100, 204, 200)))
        >>> len(list(crop_with_track(frames, track)))
        2
    """
    squares = np.array([_square(box) for box in track.boxes], np.float64)
    smooth = [median_filter(squares[:, column], MEDIAN_FRAMES) for column in range(3)]
    for number, frame in enumerate(frames):
        index = number - track.first
        if index >= len(squares):
            return
        if index >= 0:
            yield crop(frame, *(float(values[index]) for values in smooth))


def crop(frame: Frame, half: float, x: float, y: float) -> Frame:
    """One frame's crop.

    Args:
        frame: uint8 ``(H, W, 3)``.
        half: half the side of the face's square, in pixels.
        x: its centre, from the left.
        y: its centre, from the top.

    Returns:
        uint8 ``(224, 224, 3)``.

    Example:
        >>> crop(np.full((300, 400, 3), 90, np.uint8), half=50, x=150, y=150).mean()
        np.float64(90.0)
    """
    # The reference puts the border around the whole frame first and truncates its indices there: keep its rounding, not
    # its memory.
    pad = int(half * (1 + 2 * CROP_SCALE))
    height, width = frame.shape[:2]
    top, bottom = (
        min(max(int(v), 0), height + 2 * pad) - pad for v in (y + pad - half, y + pad + half * (1 + 2 * CROP_SCALE))
    )
    reach = half * (1 + CROP_SCALE)
    left, right = (min(max(int(v), 0), width + 2 * pad) - pad for v in (x + pad - reach, x + pad + reach))
    canvas = np.full((max(bottom - top, 1), max(right - left, 1), 3), _BORDER_GREY, np.uint8)
    inside = frame[max(top, 0) : max(bottom, 0), max(left, 0) : max(right, 0)]
    if inside.size:
        row, column = max(-top, 0), max(-left, 0)
        canvas[row : row + inside.shape[0], column : column + inside.shape[1]] = inside
    return np.asarray(cv2.resize(canvas, (CROP_SIZE, CROP_SIZE)), np.uint8)


def _square(box: Box) -> tuple[float, float, float]:
    """Half side and centre of the square around a box."""
    half = max(box.bottom - box.top, box.right - box.left) / 2
    return half, (box.left + box.right) / 2, (box.top + box.bottom) / 2


def find_track(frames: Iterable[Frame], *, where: str = "") -> FaceTrack:
    """Find the face that a clip is about: the one seen in most frames; of equals, the largest.

    Args:
        frames: uint8 ``(H, W, 3)``.
        where: name of the clip, for errors.

    Raises:
        UsageError: no frame, or no face in at least half of the frames.
        WorldError: this OpenCV comes without its cascade.

    Example:
        >>> find_track(np.full((3, 300, 400, 3), 90, np.uint8), where="grey.mp4")  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        penstock.foundation.errors.UsageError: grey.mp4: no face was found. Give the face's box ...
    """
    count, tracks = _tracks(frames, where)
    best = tracks[0] if tracks else []
    if len(best) < _LEAST_SHARE * count:
        seen = f"a face was found in {len(best)} of {count} frames only" if best else "no face was found"
        raise UsageError(seen, where=where, todo=_ADVICE_BOX)
    return _interpolated(best)


def find_tracks(frames: Iterable[Frame], *, where: str = "") -> list[FaceTrack]:
    """Find every face that is seen for a second or in half of the frames; :func:`find_track`'s comes first.

    Args:
        frames: uint8 ``(H, W, 3)``.
        where: name of the clip, for errors.

    Returns:
        The tracks: those of most finds first, of equals the larger face first, then from left to right.

    Raises:
        UsageError: no frame, or no such face.
        WorldError: this OpenCV comes without its cascade.

    Example:
        >>> find_tracks([])
        Traceback (most recent call last):
        penstock.foundation.errors.UsageError: the clip has no frame. Give a video with frames.
    """
    count, tracks = _tracks(frames, where)
    least = min(_LEAST_FRAMES, _LEAST_SHARE * count)
    found = [_interpolated(track) for track in tracks if len(track) >= least]
    if not found:
        raise UsageError("no face was found", where=where, todo=_ADVICE_BOX)
    return found


def _tracks(frames: Iterable[Frame], where: str) -> tuple[int, list[list[tuple[int, Box]]]]:
    """The number of frames, and every track in them, in the order of :func:`find_tracks`."""
    detector = FaceDetector()
    found = [detector.detect(frame) for frame in frames]
    if not found:
        raise UsageError("the clip has no frame", where=where, todo="Give a video with frames.")
    return len(found), sorted(
        link(found), key=lambda track: (-len(track), -math.fsum(box.area for _, box in track), track[0][1].left)
    )


class FaceDetector:
    """Frontal faces by OpenCV's Haar cascade.

    A cascade keeps the picture that it works on, so each clip has a detector of its own: two threads that share one
    find faces that are not there, and miss those that are. Loading it takes 20 ms.

    Raises:
        WorldError: this OpenCV comes without its cascade.
    """

    def __init__(self) -> None:
        data = getattr(cv2, "data", None)
        path = Path(data.haarcascades) / "haarcascade_frontalface_default.xml" if data else None
        cascade = cv2.CascadeClassifier(str(path)) if path and path.is_file() else None
        if cascade is None or cascade.empty():
            raise WorldError("this OpenCV comes without its face detector", todo=_ADVICE_BOX)
        self._cascade = cascade

    def detect(self, frame: Frame) -> list[Box]:
        """Frontal faces in one frame, uint8 ``(H, W, 3)`` BGR, from left to right.

        OpenCV searches a picture with several threads and lists what they find as they find it: hence the order here.
        """
        grey = cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY)
        scale = min(1.0, _DETECT_SIDE / min(grey.shape))
        if scale < 1:
            grey = cv2.resize(grey, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        least = max(24, min(grey.shape) // 8)
        boxes = self._cascade.detectMultiScale(
            cv2.equalizeHist(grey), scaleFactor=1.1, minNeighbors=5, minSize=(least, least)
        )
        ordered = sorted(tuple(map(int, box)) for box in boxes)
        return [Box(*(float(v) / scale for v in (x, y, x + w, y + h))) for x, y, w, h in ordered]


def link(found: Sequence[Sequence[Box]]) -> list[list[tuple[int, Box]]]:
    """Join boxes of consecutive finds into tracks: ``(frame, box)`` with rising frames. Each box is in one track.

    Example:
        >>> here, there = Box(0, 0, 10, 10), Box(50, 50, 60, 60)
        >>> [[frame for frame, _ in track] for track in link([[here], [here, there], [there]])]
        [[0, 1], [1, 2]]
    """
    tracks: list[list[tuple[int, Box]]] = []
    active: list[list[tuple[int, Box]]] = []
    for number, boxes in enumerate(found):
        active = [track for track in active if number - track[-1][0] <= _GAP_FRAMES]
        pairs = [
            (box.overlap(track[-1][1]), index, which)
            for index, track in enumerate(active)
            for which, box in enumerate(boxes)
        ]
        taken: set[int] = set()
        for overlap, index, which in sorted(pairs, key=lambda pair: -pair[0]):
            if overlap > _SAME_FACE and which not in taken and active[index][-1][0] < number:
                active[index].append((number, boxes[which]))
                taken.add(which)
        new = [[(number, box)] for which, box in enumerate(boxes) if which not in taken]
        tracks += new
        active += new
    return tracks


def _interpolated(track: Sequence[tuple[int, Box]]) -> FaceTrack:
    """Fill the frames between the first and the last find."""
    frames = np.array([number for number, _ in track])
    sides = np.array([(box.left, box.top, box.right, box.bottom) for _, box in track])
    every = np.arange(frames[0], frames[-1] + 1)
    filled = np.stack([np.interp(every, frames, sides[:, side]) for side in range(4)], axis=1)
    return FaceTrack(int(frames[0]), tuple(Box(*map(float, row)) for row in filled))
