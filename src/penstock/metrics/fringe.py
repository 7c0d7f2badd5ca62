"""Colour fringe: what is left of the old background in hair and edges, as it shows once the answer lies on a new one.

An alpha can be right and the hair still carry the colour of the photo's background; no metric of alpha sees that.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt

from penstock.foundation.errors import UsageError
from penstock.metrics.ciede2000 import ciede2000, lab_of_srgb
from penstock.metrics.matte_arrays import Matte

Picture = npt.NDArray[np.uint8]
Values = npt.NDArray[np.float64]

BACKGROUNDS = ((0, 0, 0), (255, 255, 255), (128, 128, 128), (0, 177, 64))
"""What both are laid over: black, white, grey and the green of a studio's screen; sRGB, 8 bits."""
GROWN = 2
"""Pixels, in rows and in columns, by which the band is wider than where the true alpha is neither 0 nor 1."""
_BLOCK = 4096
"""Pixels at a time: what is computed of them stays in the cache."""


def fringe(answer: Picture, foreground: Picture, alpha: Matte) -> float:
    """Mean colour difference (CIEDE2000) in the edge band between the answer and the truth, both laid over four
    backgrounds; lower is better, 1 is about what an eye just sees.

    The band is 0 < true alpha < 1, grown by 2 pixels (a square of 5 × 5). Both are laid over black, white, grey 128 and
    green (0, 177, 64) as they are encoded (sRGB), the way browsers do it, and are not rounded to 8 bits after that.

    Args:
        answer: uint8 (H, W, 4): red, green, blue, alpha, the colours not multiplied by alpha.
        foreground: uint8 (H, W, 3): the true colours of the foreground, red, green, blue.
        alpha: float64 (H, W): the true alpha, 0 to 1.

    Returns:
        The mean over the band's pixels and the backgrounds, ≥ 0.

    Raises:
        UsageError: the three differ in size, or the true alpha is nowhere between 0 and 1: there is no band.

    Example:
        >>> alpha = np.tile(np.linspace(0, 1, 16), (16, 1))
        >>> brown = np.full((16, 16, 3), (90, 60, 30), np.uint8)
        >>> good = np.dstack([brown, np.rint(alpha * 255).astype(np.uint8)])
        >>> pale = good.copy()
        >>> pale[..., :3] += 60
        >>> fringe(good, brown, alpha) < 0.1, round(fringe(pale, brown, alpha), 1)
        (True, 10.6)
    """
    _, differences = _in_band(answer, foreground, alpha)
    return float(differences.mean())


def fringe_map(answer: Picture, foreground: Picture, alpha: Matte) -> Values:
    """:func:`fringe` pixel by pixel, for a report to draw.

    Args:
        answer: uint8 (H, W, 4).
        foreground: uint8 (H, W, 3).
        alpha: float64 (H, W).

    Returns:
        float64 (H, W): the mean over the backgrounds, ≥ 0; 0 outside the band.

    Raises:
        UsageError: as :func:`fringe`.

    Example:
        >>> alpha = np.zeros((9, 9))
        >>> alpha[4, 4] = 0.5
        >>> black = np.zeros((9, 9, 4), np.uint8)
        >>> found = fringe_map(black, black[..., :3], alpha)
        >>> found.shape, int(np.count_nonzero(found)), bool(found[4, 4] > 0)
        ((9, 9), 1, True)
    """
    band, differences = _in_band(answer, foreground, alpha)
    found = np.zeros(alpha.shape)
    found.flat[band] = differences
    return found


def _in_band(answer: Picture, foreground: Picture, alpha: Matte) -> tuple[npt.NDArray[np.intp], Values]:
    """The band's pixels, counted row by row, and the mean difference of each."""
    _check(answer, foreground, alpha)
    soft = ((alpha > 0) & (alpha < 1)).view(np.uint8)
    side = 2 * GROWN + 1
    band = np.flatnonzero(cv2.dilate(soft, np.ones((side, side), np.uint8)))
    if not band.size:
        raise UsageError("the true alpha is 0 or 1 everywhere: it has no edge band in which to compare colours")
    ours = answer.reshape(-1, 4)[band]
    true_colours, true_alpha = foreground.reshape(-1, 3)[band], alpha.ravel()[band]
    differences = np.zeros(band.size)
    # Where both are transparent nothing of them shows, where both are opaque nothing of the background.
    opaque = (ours[:, 3] == 255) & (true_alpha == 1)
    blended = ~opaque & ((ours[:, 3] > 0) | (true_alpha > 0))
    for which, backgrounds in ((opaque, BACKGROUNDS[:1]), (blended, BACKGROUNDS)):
        pixels = np.flatnonzero(which)
        for begin in range(0, pixels.size, _BLOCK):
            part = pixels[begin : begin + _BLOCK]
            shown = _laid_over(backgrounds, ours[part, :3], ours[part, 3] / 255.0)
            wanted = _laid_over(backgrounds, true_colours[part], true_alpha[part])
            by_background = ciede2000(lab_of_srgb(wanted), lab_of_srgb(shown)).reshape(len(backgrounds), -1)
            differences[part] = by_background.mean(axis=0)
    return band, differences


def _laid_over(backgrounds: Sequence[tuple[int, int, int]], colours: Picture, alpha: Values) -> Values:
    """The colours laid over each background: float64 (3, backgrounds × n), 0 to 1."""
    own = (colours.T * (alpha / 255.0))[:, None, :]
    through = np.multiply.outer(np.array(backgrounds).T / 255.0, 1.0 - alpha)
    return np.asarray((own + through).reshape(3, -1))


def _check(answer: Picture, foreground: Picture, alpha: Matte) -> None:
    for name, picture, channels in (("the answer", answer, 4), ("the true foreground", foreground, 3)):
        if picture.dtype != np.uint8 or picture.shape != (*alpha.shape, channels):
            raise UsageError(
                f"{name} is {picture.dtype} {picture.shape}, it must be uint8 {(*alpha.shape, channels)} for this alpha"
            )
