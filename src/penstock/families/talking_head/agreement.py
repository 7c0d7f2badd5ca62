"""Videos of an exported talking-head model against those of its trained weights, frame by frame."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import zip_longest
from pathlib import Path

import numpy as np

from penstock.contract.placeholders import Scalar
from penstock.foundation.errors import UsageError
from penstock.media.video import read_frames


def compare(
    trained: Mapping[str, Path],
    exported: Mapping[str, Path],
    given: Mapping[str, Scalar],  # noqa: ARG001 (no parameter says how two videos are compared)
) -> dict[str, float]:
    """How far the pictures of two videos lie apart; their sound is what the model was given, and is not compared.

    Args:
        trained: the answer with the trained weights, under the name "".
        exported: that with the exported file.
        given: the case's parameters.

    Returns:
        ``mae``: mean absolute difference over all values of all frames, 0 to 1 (255 levels). ``worst_frame``: that of
        the frame in which it is largest.

    Raises:
        UsageError: one of the two is no video, or they differ in size or in their number of frames.
    """
    if "" not in trained or "" not in exported:
        raise UsageError("the case has several calls, and a talking head is one video")
    total, worst, count = 0.0, 0.0, 0
    for one, other in zip_longest(read_frames(trained[""], fps=None), read_frames(exported[""], fps=None)):
        if one is None or other is None:
            raise UsageError("the answers differ in their number of frames")
        if one.shape != other.shape:
            sizes = " and ".join(f"{frame.shape[1]}x{frame.shape[0]}" for frame in (one, other))
            raise UsageError(f"the answers differ in size: {sizes} pixels")
        apart = float(np.abs(one.astype(np.int16) - other).mean()) / 255
        total, worst, count = total + apart, max(worst, apart), count + 1
    return {"mae": total / count, "worst_frame": worst}
