"""When a video is at its worst, and its frames around that time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

import cv2
import numpy as np

from penstock.families.family import Lane, View
from penstock.foundation.errors import UsageError
from penstock.media.alpha_frames import read_alpha_frames
from penstock.media.video import read_frames
from penstock.report.series import Series
from penstock.report.still_pictures import Picture, shrunk

FPS = 25.0
"""Frames a second in which videos without series are looked at, as everywhere else in Penstock."""
SMOOTH_FRAMES = 5
"""As in the page's ``worstMoments``: a single frame does not pass for the worst place."""
LOOKED_AT_FRAMES = 3_000
"""Two minutes: what comes later is not looked for."""
COMPARED_PIXELS = 96
"""Longer side of the frames that are compared."""


def lanes_for(metric: str, view: View) -> list[Lane]:
    """The family's lines over time, that of the metric first, if it has one."""
    return sorted(view.lanes, key=lambda lane: metric not in (lane.series, lane.name))


def worst_frame(metric: str, view: View, series: dict[str, Series]) -> tuple[int, float] | None:
    """The frame at which the page opens the case, and its frames a second; ``None``: no series says.

    Args:
        metric: the metric that tells most; its own series is taken if the family draws one, else the first.
        view: the family's.
        series: side → what is known of its video, frame by frame.
    """
    for lane in lanes_for(metric, view):
        of_side = {side: known["lanes"].get(lane.name, []) for side, known in series.items()}
        own = of_side.get("candidate") or of_side.get("baseline") or []
        against = of_side.get("baseline", []) if of_side.get("candidate") else []
        place = _largest(_excess(own, against))
        if place is not None:
            fps = next(known["fps"] for side, known in series.items() if of_side[side])
            return place + lane.window // 2, fps
    return None


def _excess(own: Sequence[float | None], against: Sequence[float | None]) -> list[float | None]:
    if not against:
        return list(own)
    return [None if mine is None or other is None else mine - other for mine, other in zip(own, against, strict=False)]


def _largest(values: Sequence[float | None]) -> int | None:
    """The place of the largest moving mean among the values that are there."""
    half = SMOOTH_FRAMES // 2
    means: list[tuple[float, int]] = []
    for place, value in enumerate(values[:LOOKED_AT_FRAMES]):
        near = [each for each in values[max(0, place - half) : place + half + 1] if each is not None]
        if value is not None:
            means.append((sum(near) / len(near), -place))
    return -max(means)[1] if means else None


def most_different(first: Path, second: Path) -> int:
    """The frame, at :data:`FPS`, at which two videos differ most: mean absolute difference, scaled to a few pixels.

    Raises:
        UsageError: one cannot be read.
    """
    largest, place = -1.0, 0
    pairs = zip(read_frames(first, fps=FPS), read_frames(second, fps=FPS), strict=False)
    for number, both in enumerate(islice(pairs, LOOKED_AT_FRAMES)):
        mine, other = (_small_grey(frame).astype(np.float32) for frame in both)
        if mine.shape != other.shape:
            other = np.asarray(cv2.resize(other, (mine.shape[1], mine.shape[0])), np.float32)
        difference = float(np.abs(mine - other).mean())
        if difference > largest:
            largest, place = difference, number
    return place


def _small_grey(frame: Picture) -> Picture:
    return np.asarray(cv2.cvtColor(shrunk(frame, COMPARED_PIXELS), cv2.COLOR_BGR2GRAY), np.uint8)


def frames_around(path: Path, first: int, last: int, fps: float, *, see_through: bool) -> Iterator[Picture]:
    """The frames from ``first`` to ``last``, both included; fewer where the video ends earlier, then its last one.

    One at a time: seconds of large frames are more than the step *report* has memory for.

    Args:
        path: the video.
        first: number of the first frame, from 0.
        last: of the last one.
        fps: frames a second; a see-through video is read as it is.
        see_through: it may have alpha.

    Yields:
        (H, W, 3) BGR, (H, W, 4) BGRA, or (H, W) of a video of mattes.

    Raises:
        UsageError: the video cannot be read.
    """
    latest: Picture | None = None
    for number, frame in enumerate(_frames(path, fps, see_through=see_through)):
        latest = frame
        if number >= first:
            yield frame
        if number >= last:
            return
    if latest is not None and number < first:
        yield latest


def _frames(path: Path, fps: float, *, see_through: bool) -> Iterator[Picture]:
    found = False
    if see_through:
        try:
            for frame in read_alpha_frames(path, colours=True):
                grey = np.rint(frame.alpha * 255).astype(np.uint8)
                found = True
                yield grey if frame.rgba is None else np.ascontiguousarray(frame.rgba[:, :, [2, 1, 0, 3]])
        except UsageError:
            if found:  # damage
                raise
    if not found:  # it has no alpha, which the measurements say; what is there is shown
        yield from read_frames(path, fps=fps)
