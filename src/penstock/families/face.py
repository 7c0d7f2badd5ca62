"""Where the face is in a frame, and the picture of it that lip-sync networks look at."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from penstock.contract.models import FaceBox

Frame = npt.NDArray[np.uint8]
PixelBox = tuple[int, int, int, int]
"""``x, y, width, height`` in pixels."""
CROP_SIDE = 224
OUTSIDE = 110
"""Grey level of what lies beyond the frame, as in the reference implementation of SyncNet's evaluation."""


def pixel_box(box: FaceBox | None, width: int, height: int) -> PixelBox:
    """A face box given as shares of a frame of ``width`` x ``height`` pixels, in pixels, at least 1 x 1.

    Without a box, the whole frame: the video is taken to show the face and little else.
    """
    if box is None:
        return 0, 0, width, height
    x, y = min(round(box[0] * width), width - 1), min(round(box[1] * height), height - 1)
    return x, y, max(1, round(box[2] * width)), max(1, round(box[3] * height))


def face_crop(frame: Frame, box: PixelBox) -> Frame:
    """The square around the middle of ``box`` whose side is the longer one of the box, so that nothing is distorted.

    Args:
        frame: uint8 ``(H, W, 3)``.
        box: in pixels of the frame.

    Returns:
        uint8 ``(224, 224, 3)``; what lies beyond the frame is grey.
    """
    x, y, width, height = box
    side = max(width, height)
    left, top = x + (width - side) // 2, y + (height - side) // 2
    rows, columns = frame.shape[:2]
    inner = frame[max(0, top) : max(0, top + side), max(0, left) : max(0, left + side)]
    before = max(0, -top), max(0, -left)
    after = max(0, top + side - rows), max(0, left + side - columns)
    if any(before + after):
        grey = (OUTSIDE, OUTSIDE, OUTSIDE)
        inner = np.asarray(
            cv2.copyMakeBorder(inner, before[0], after[0], before[1], after[1], cv2.BORDER_CONSTANT, value=grey),
            np.uint8,
        )
    if side == CROP_SIDE:
        return np.ascontiguousarray(inner)
    how = cv2.INTER_AREA if side > CROP_SIDE else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(inner, (CROP_SIDE, CROP_SIDE), interpolation=how), np.uint8)
