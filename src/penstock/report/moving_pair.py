"""The worst seconds of a case, before and after side by side: a short animation that repeats, without sound."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from PIL import Image

from penstock.families.family import View
from penstock.report.exhibits import Moment, closeup_of
from penstock.report.picture_board import Board, fitted
from penstock.report.picture_files import MAX_MOVING_BYTES
from penstock.report.picture_text import FAINT, RED, clipped
from penstock.report.series import Series
from penstock.report.still_pictures import Picture
from penstock.report.worst_moments import frames_around

AROUND_S = 1.0
"""Before the worst moment, and after it."""
SHOWN_FPS = 12.5
MOST_FRAMES = 30
SIZES = ((320, 70), (320, 45), (240, 45), (180, 30), (120, 20))
"""A panel's width in pixels and WebP's quality, the first that is small enough."""
CAPTION = 26


def moving_pair(
    videos: Mapping[str, Path], captions: Mapping[str, str], moment: Moment, view: View, series: Mapping[str, Series]
) -> bytes:
    """An animated WebP of at most :data:`~penstock.report.picture_files.MAX_MOVING_BYTES`; empty where there is none.

    A bar below shows where the moment is; it is red at the worst frame.

    Args:
        videos: side → its video, in the order in which they stand side by side.
        captions: side → what stands above it.
        moment: the worst one.
        view: the family's; its closeup stands below each side.
        series: side → what is known of its video, frame by frame.

    Raises:
        UsageError: a video cannot be read.
    """
    around = round(AROUND_S * moment.fps)
    first, last = max(0, moment.frame - around), moment.frame + around
    every = max(1, round(moment.fps / SHOWN_FPS), -(-(last - first + 1) // MOST_FRAMES))
    frames = {}
    for side, path in videos.items():
        read = frames_around(path, first, last, moment.fps, see_through=view.stills is not None)
        frames[side] = [*_columns(read, every, view, series.get(side))]
    count = max(map(len, frames.values()), default=0)
    if count < 2:
        return b""
    worst = (moment.frame - first) // every
    for width, quality in SIZES:
        shown = [_frame(frames, captions, number, count, number == worst, width) for number in range(count)]
        content = _webp(shown, quality, round(1000 * every / moment.fps))
        if len(content) <= MAX_MOVING_BYTES:
            return content
    return b""


def _columns(frames: Iterable[Picture], every: int, view: View, series: Series | None) -> Iterator[list[Image.Image]]:
    """Of each frame that is shown: the whole, and the closeup, as large as they are ever shown."""
    largest = SIZES[0][0]
    for number, frame in enumerate(frames):
        if number % every == 0:
            parts = [frame] if view.closeup is None else [frame, closeup_of(view.closeup, series, frame)]
            yield [fitted(part, largest, largest) for part in parts]


def _frame(
    frames: Mapping[str, Sequence[Sequence[Image.Image]]],
    captions: Mapping[str, str],
    number: int,
    count: int,
    worst: bool,
    width: int,
) -> Image.Image:
    """A side that ends earlier stays at its last frame."""
    columns = {
        side: [_as_wide(part, width) for part in own[min(number, len(own) - 1)]] for side, own in frames.items() if own
    }
    tall = max(sum(part.height + 4 for part in parts) for parts in columns.values())
    board = Board(width * len(columns) + 8 * (len(columns) - 1), CAPTION + tall + 8)
    for place, (side, parts) in enumerate(columns.items()):
        left, top = place * (width + 8), CAPTION
        board.text((left + 2, 4), clipped(captions[side], 15, width - 4), 15, FAINT)
        for part in parts:
            board.image.paste(part, (left + (width - part.width) // 2, top))
            top += part.height + 4
    end, right = board.image.height, board.image.width * (number + 1) / count
    board.draw.rectangle((0, end - 5, right, end), fill=RED if worst else FAINT)
    return board.image


def _as_wide(part: Image.Image, width: int) -> Image.Image:
    if width == SIZES[0][0]:
        return part
    share = width / SIZES[0][0]
    return part.resize((max(1, round(part.width * share)), max(1, round(part.height * share))), Image.Resampling.BOX)


def _webp(frames: Sequence[Image.Image], quality: int, frame_ms: int) -> bytes:
    out = io.BytesIO()
    frames[0].save(
        out, "WEBP", save_all=True, append_images=frames[1:], duration=frame_ms, loop=0, quality=quality, method=3
    )
    return out.getvalue()
