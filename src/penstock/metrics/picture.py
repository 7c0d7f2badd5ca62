"""What can be said about the picture without a reference: how sharp it is, and how much it flickers and trembles.

Both work on a stream of frames and hold at most three of them, so that the length of a clip does not matter.
"""

from __future__ import annotations

from collections.abc import Iterable

import cv2
import numpy as np
import numpy.typing as npt

from penstock.foundation.errors import UsageError

Frame = npt.NDArray[np.uint8]
Luma = npt.NDArray[np.uint8]
FloatImage = npt.NDArray[np.float32]
Box = tuple[int, int, int, int]
"""``x, y, width, height`` in pixels of the frame."""

JITTER_SIDE = 128
"""Jitter is measured with the longer side of the frame reduced to this many pixels."""
JITTER_SMOOTHING = 1.0
"""Standard deviation, in reduced pixels, of the blur before jitter is measured."""


def sharpness(frames: Iterable[Frame], box: Box | None = None) -> float:
    """Mean over the frames of the variance of the luma's Laplacian inside the face box; higher is sharper.

    Source: Pech-Pacheco et al., "Diatom autofocusing in brightfield microscopy" (ICPR 2000), there LAPV. Luma is
    BT.601 in 0 to 255, the Laplacian the 4-neighbour one. The value depends on resolution and on what is in the box:
    compare it only for the same case at the same size. Noise and blocking raise it too.

    Args:
        frames: uint8 (H, W, 3) BGR each; they may differ in size if ``box`` fits all.
        box: x, y, width, height of the face; what reaches beyond the frame is cut. Without one, the whole frame.

    Returns:
        The mean variance, ≥ 0, in squared luma levels.

    Raises:
        UsageError: no frame, a frame that is no image, a box that meets a frame in fewer than 3 × 3 pixels.

    Example:
        >>> edges = np.zeros((64, 64, 3), np.uint8)
        >>> edges[:, 32:] = 200
        >>> blurred = cv2.GaussianBlur(edges, (0, 0), 2)
        >>> sharpness([edges]) > sharpness([blurred]) > 0
        True
        >>> sharpness([edges], box=(0, 0, 20, 20))
        0.0
    """
    total, count = 0.0, 0
    for frame in frames:
        _check(frame, count)
        luma = cv2.cvtColor(np.ascontiguousarray(_crop(frame, box, count)), cv2.COLOR_BGR2GRAY)
        # 16 bit holds the 4-neighbour Laplacian of 8-bit luma exactly (-1020 to 1020).
        _, deviation = cv2.meanStdDev(cv2.Laplacian(luma, cv2.CV_16S, ksize=1))
        total += float(deviation[0, 0]) ** 2
        count += 1
    if not count:
        raise UsageError("there is no frame to measure sharpness on")
    return total / count


def jitter(frames: Iterable[Frame]) -> float:
    """Frame-to-frame change that smooth motion does not explain; lower is better.

    Each frame is predicted from its two neighbours, which are moved half-way towards each other along the optical flow
    (DIS) between them; the value is the mean absolute difference of prediction and frame, in luma levels, over pixels
    and frames. The frame itself takes no part in its prediction, so flicker of light, trembling of the head, texture
    that crawls and dropped or doubled frames in a motion all count, while steady motion, a fade and a still picture do
    not. Motion that starts or stops within one frame (a plosive) counts a little: compare the same cases, not different
    ones.

    Source: the idea is VBench's "motion smoothness" (Huang et al., CVPR 2024), with optical flow in place of a network.
    Measured at 128 pixels at most (longer side, area-averaged, then slightly blurred), so that a sharper clip is not a
    worse one and codec noise matters less.

    Args:
        frames: uint8 (H, W, 3) BGR, all of one size, in order.

    Returns:
        The mean absolute residual, 0 to 255.

    Raises:
        UsageError: fewer than three frames, frames of different size, a frame that is no image.

    Example:
        >>> still = [np.full((64, 64, 3), 90, np.uint8)] * 5
        >>> flicker = [np.full((64, 64, 3), 90 + 20 * (n % 2), np.uint8) for n in range(5)]
        >>> jitter(still), jitter(flicker)
        (0.0, 20.0)
    """
    watch = Jitter()
    values = [value for frame in frames if (value := watch.look(frame)) is not None]
    if not values:
        raise UsageError("jitter needs at least three frames", todo="Give a longer clip.")
    return sum(values) / len(values)


class Jitter:
    """:func:`jitter` frame by frame; holds three small pictures."""

    def __init__(self) -> None:
        self._flow_of = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_FAST)
        self._window: list[Luma] = []
        self._count = 0
        self._shape: tuple[int, ...] | None = None

    def look(self, frame: Frame) -> float | None:
        """The residual, 0 to 255, of the frame before this one; ``None`` while fewer than three have come.

        Args:
            frame: uint8 (H, W, 3) BGR, of the size of all others.

        Raises:
            UsageError: a frame of another size, or one that is no image.
        """
        _check(frame, self._count)
        if self._shape is not None and frame.shape != self._shape:
            raise UsageError(
                f"frame {self._count} has the shape {frame.shape}, the first has {self._shape}",
                todo="Give one clip of one size.",
            )
        self._shape = frame.shape
        self._count += 1
        self._window = [*self._window[-2:], _small_luma(frame)]
        if len(self._window) < 3:
            return None
        before, middle, after = self._window
        height, width = middle.shape
        flow = self._flow_of.calc(_square(before), _square(after), None)  # type: ignore[call-overload]
        half = np.asarray(flow[:height, :width] * np.float32(0.5), dtype=np.float32)
        return float(cv2.absdiff(_between(before, after, half), middle.astype(np.float32)).mean())


def _square(luma: Luma) -> Luma:
    """The picture, its last row and column repeated to ``JITTER_SIDE`` squared.

    OpenCV's DIS chooses its scales by the width alone and reads outside its memory for pictures that are much flatter,
    or smaller than its patches; a clip comes from a model that is not trusted, so DIS only ever sees this one size.
    """
    height, width = luma.shape
    down, right = JITTER_SIDE - height, JITTER_SIDE - width
    return np.asarray(cv2.copyMakeBorder(luma, 0, down, 0, right, cv2.BORDER_REPLICATE), dtype=np.uint8)


def _between(before: Luma, after: Luma, half_flow: FloatImage) -> FloatImage:
    """The frame half-way between two, float32 (h, w), from the flow ``before → after`` halved, float32 (h, w, 2)."""
    rows, columns = np.indices(before.shape, dtype=np.float32)
    across, down = half_flow[..., 0], half_flow[..., 1]
    first = _moved(before, columns - across, rows - down)
    second = _moved(after, columns + across, rows + down)
    return np.asarray((first + second) * np.float32(0.5), dtype=np.float32)


def _moved(luma: Luma, columns: FloatImage, rows: FloatImage) -> FloatImage:
    """The picture as seen at these fractional positions, float32 (h, w)."""
    picture = luma.astype(np.float32)
    moved = cv2.remap(picture, columns, rows, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(moved, dtype=np.float32)


def _small_luma(frame: Frame) -> Luma:
    """A frame's luma, reduced to at most ``JITTER_SIDE``."""
    height, width = frame.shape[:2]
    luma = cv2.cvtColor(np.ascontiguousarray(frame), cv2.COLOR_BGR2GRAY)
    scale = JITTER_SIDE / max(height, width)
    if scale < 1:
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        luma = cv2.resize(luma, size, interpolation=cv2.INTER_AREA)
    # Detail near the sampling limit cannot be moved by fractions of a pixel without loss; that loss is not jitter.
    return np.asarray(cv2.GaussianBlur(luma, (0, 0), JITTER_SMOOTHING), dtype=np.uint8)


def _crop(frame: Frame, box: Box | None, index: int) -> Frame:
    """The part of a frame inside the box."""
    if box is None:
        inner = frame
    else:
        x, y, width, height = box
        inner = frame[max(0, y) : max(0, y + height), max(0, x) : max(0, x + width)]
    if inner.shape[0] < 3 or inner.shape[1] < 3:
        shown = "the whole frame" if box is None else f"the face box {','.join(map(str, box))}"
        size = f"{frame.shape[1]}x{frame.shape[0]}"
        raise UsageError(
            f"{shown} covers fewer than 3x3 pixels of frame {index} ({size})", todo="Give a box inside the picture."
        )
    return inner


def _check(frame: Frame, index: int) -> None:
    """Refuse what is not a uint8 (H, W, 3) picture."""
    if frame.dtype != np.uint8 or frame.ndim != 3 or frame.shape[2] != 3 or 0 in frame.shape:
        raise UsageError(f"frame {index} is {frame.dtype} {frame.shape}, a picture is uint8 (H, W, 3)")
