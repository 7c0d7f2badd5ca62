"""What a composed picture shows of one case: both answers at the worst moment, and the worst place enlarged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from penstock.families.family import Closeup, Stills, View
from penstock.foundation.errors import UsageError
from penstock.foundation.references import load
from penstock.media.container import probe
from penstock.media.images import ImageLimits, picture_bytes, read_as_stored
from penstock.report.case_files import SuiteFiles
from penstock.report.media import Medium
from penstock.report.series import Series
from penstock.report.still_pictures import CaseStills, Marks, Painter, Picture
from penstock.report.worst_moments import FPS, frames_around, lanes_for, most_different, worst_frame

LIMITS = ImageLimits(pixels=12 << 20)
"""Larger pictures are not shown: the step *report* has less memory than *measure*."""
QUICK_PIXELS = 60_000_000
"""Nine seconds of 512 by 512 pixels, one of 1080p."""
ENLARGED_SHARE = 0.22
"""Of the picture's shorter side: the square around the worst place that is enlarged."""


@dataclass(frozen=True)
class Moment:
    """A moment of both videos."""

    frame: int
    fps: float

    @property
    def seconds(self) -> float:
        """From the first frame."""
        return self.frame / self.fps


@dataclass(frozen=True)
class FrameCourse:
    """A value over the frames of both videos."""

    title: str
    shift: int
    """The frame at which the first value stands."""
    sides: dict[str, list[float | None]]
    """Side → a value a frame; each has at least one."""


@dataclass(frozen=True)
class Exhibit:
    """Of each side (``baseline``, ``candidate``) that answered, what is to be seen."""

    whole: dict[str, Picture | str]
    """The picture; or why there is none."""
    detail: dict[str, Picture] = field(default_factory=dict)
    """A part of it, to be enlarged; the same part of both sides."""
    spot: tuple[float, float, float, float] | None = None
    """That part: x, y, width, height as shares of the picture; ``None``: none, or not the same of both."""
    part: str = ""
    """What the part is: ``mouth``, ``worst edge``."""
    marks: dict[str, Marks] = field(default_factory=dict)
    """What an answer says of the picture."""
    moment: Moment | None = None
    """Of videos: the one that is shown."""
    course: FrameCourse | None = None
    """Of videos: what makes that moment the worst, over time."""


def exhibit(
    case: str,
    metric: str,
    answers: Mapping[str, Medium],
    view: View,
    series: dict[str, Series],
    files: SuiteFiles | None,
    *,
    quick: bool = False,
) -> Exhibit:
    """What there is to see of a case. Files are hostile: what cannot be read is a reason in its place.

    Args:
        case: its name.
        metric: the one that tells most.
        answers: side → its answer.
        view: the family's.
        series: side → what is known of its video, frame by frame.
        files: the suite's own files, if they are at hand.
        quick: of a long or large video an earlier frame does, so that :data:`QUICK_PIXELS` are decoded at most.
    """
    try:
        if any(answer.kind == "video" for answer in answers.values()):
            return _of_videos(metric, answers, view, series, quick=quick)
        if view.stills is not None:
            return _of_stills(case, answers, view.stills, files)
        return Exhibit({side: _picture(answer) for side, answer in answers.items()})
    except Exception as error:  # what an answer does to a decoder or a painter is this case's fault
        why = f"it cannot be drawn: {type(error).__name__}: {' '.join(str(error).split())[:200]}"
        return Exhibit(dict.fromkeys(answers, why))


def _picture(answer: Medium) -> Picture | str:
    if answer.kind != "image":
        return f"{answer.path.name} is no picture"
    try:
        picture_bytes(answer.path, limits=LIMITS)
        return _in_8_bits(read_as_stored(answer.path, limits=LIMITS))
    except UsageError as error:
        return error.what


def _in_8_bits(stored: Picture) -> Picture:
    return stored if stored.dtype == np.uint8 else np.asarray(np.rint(stored / 257.0), np.uint8)


# videos


def moment_of(
    metric: str, videos: Mapping[str, Path], view: View, series: dict[str, Series], *, quick: bool = False
) -> Moment:
    """When a case's videos are worst: as their series say, else where the two differ most, else their begin.

    Raises:
        UsageError: a video cannot be read.
    """
    known = worst_frame(metric, view, series)
    if quick:
        frame, fps = known or (round(FPS / 2), FPS)
        sizes = [info for path in videos.values() if (info := probe(path).video) is not None]
        return Moment(min([frame, *(QUICK_PIXELS // (size.width * size.height) for size in sizes)]), fps)
    if known is not None:
        return Moment(*known)
    if len(videos) == 2:
        return Moment(most_different(*videos.values()), FPS)
    return Moment(0, FPS)


def _of_videos(
    metric: str, answers: Mapping[str, Medium], view: View, series: dict[str, Series], *, quick: bool
) -> Exhibit:
    videos = {side: answer.path for side, answer in answers.items() if answer.kind == "video"}
    others = {side: f"{answer.path.name} is no video" for side, answer in answers.items() if side not in videos}
    try:
        moment = moment_of(metric, videos, view, series, quick=quick)
    except UsageError:
        moment = Moment(0, FPS)  # what is wrong with the one that cannot be read is said below
    whole: dict[str, Picture | str] = {**others}
    for side, path in videos.items():
        try:
            frames = frames_around(path, moment.frame, moment.frame, moment.fps, see_through=view.stills is not None)
            whole[side] = next(frames, "the video has no frame")
        except UsageError as error:
            whole[side] = error.what
    if view.closeup is None:
        return Exhibit(whole, moment=moment, course=_course(metric, view, series))
    detail = {
        side: closeup_of(view.closeup, series.get(side), picture)
        for side, picture in whole.items()
        if not isinstance(picture, str)
    }
    return Exhibit(whole, detail, None, view.closeup.name, {}, moment, _course(metric, view, series))


def _course(metric: str, view: View, series: Mapping[str, Series]) -> FrameCourse | None:
    """The series that :func:`worst_frame` looks into."""
    for lane in lanes_for(metric, view):
        sides = {side: known["lanes"].get(lane.name, []) for side, known in series.items()}
        there = {side: values for side, values in sides.items() if any(value is not None for value in values)}
        if there:
            return FrameCourse(lane.title, lane.window // 2, there)
    return None


def closeup_of(closeup: Closeup, series: Series | None, picture: Picture) -> Picture:
    """What the page enlarges of a frame: half as high as wide."""
    height, width = picture.shape[:2]
    box = series["box"] if series is not None else None
    if box is None:
        middle_x, middle_y, share = closeup.otherwise
    else:
        x, y, across, down = box
        middle_x, middle_y, share = x + closeup.across * across, y + closeup.down * down, closeup.width * across
    tall = share * width / 2 / height
    return _cut(picture, middle_x - share / 2, middle_y - tall / 2, share, tall)


# pictures


def _of_stills(case: str, answers: Mapping[str, Medium], stills: Stills, files: SuiteFiles | None) -> Exhibit:
    painter: Painter = load(stills.painter)
    found = painter(
        files.of(case) if files is not None else None, {side: answer.path for side, answer in answers.items()}
    )
    name = next((still.name for still in stills.of_answer if still.see_through), stills.of_answer[0].name)
    over = next(still.over for still in stills.of_answer if still.name == name)
    whole: dict[str, Picture | str] = {}
    marks: dict[str, Marks] = {}
    for side in answers:
        shown = found.answers.get(side, {}).get(name, "it was not drawn")
        if isinstance(shown, Marks):
            marks[side] = shown
            below = found.of_case.get(over, "it was not drawn")
            whole[side] = "it was not drawn" if isinstance(below, Marks) else below
        else:
            whole[side] = shown
    if marks:
        return Exhibit(whole, marks=marks)
    spot = _spot(found, whole)
    if spot is None:
        return Exhibit(whole)
    detail = {side: _cut(picture, *spot) for side, picture in whole.items() if not isinstance(picture, str)}
    return Exhibit(whole, detail, spot, stills.worst)


def _spot(found: CaseStills, whole: Mapping[str, Picture | str]) -> tuple[float, float, float, float] | None:
    """The part around the candidate's worst place; twice as wide as high."""
    place, picture = found.places.get("candidate"), whole.get("candidate")
    if place is None or picture is None or isinstance(picture, str):
        return None
    height, width = picture.shape[:2]
    tall = ENLARGED_SHARE * min(height, width)
    across, down = min(1.0, 2 * tall / width), min(1.0, tall / height)
    x, y = (min(max(0.0, middle - size / 2), 1 - size) for middle, size in zip(place, (across, down), strict=True))
    return x, y, across, down


def _cut(picture: Picture, x: float, y: float, across: float, down: float) -> Picture:
    """A part of a picture, all of it inside: at least one pixel."""
    height, width = picture.shape[:2]
    left, top = (int(min(max(0, round(at * size)), size - 1)) for at, size in ((x, width), (y, height)))
    right, bottom = (
        max(low + 1, min(size, round(end * size)))
        for low, end, size in ((left, x + across, width), (top, y + down, height))
    )
    return picture[top:bottom, left:right]
