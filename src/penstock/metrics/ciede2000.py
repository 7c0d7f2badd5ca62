"""How different two colours look: CIEDE2000, without a trigonometric function for most colours."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

Channels = npt.NDArray[np.float64]
"""(3, n): three channels of n colours."""
Values = npt.NDArray[np.float64]

_WHITE = (0.95047, 1.0, 1.08883)
"""XYZ of D65, 2 degrees."""
_XYZ_OF_RGB = ((0.412453, 0.357580, 0.180423), (0.212671, 0.715160, 0.072169), (0.019334, 0.119193, 0.950227))
"""Linear sRGB to XYZ, with the digits that scikit-image uses."""
_BLUE_DEGREES, _BLUE_WIDTH = 275.0, 25.0
_OPPOSITE = 1e-24
"""Squared length of two hues' sum below which they are opposite."""
_TINY = 1e-300
"""Added where 0 would divide 0."""
_NOT_BLUE = -0.64
"""Cosine of 130 degrees: up to there the turn of the blue axis is nothing (2e-15)."""


def lab_of_srgb(colours: Channels) -> Channels:
    """CIE L*a*b* (D65, 2 degrees) of sRGB colours, equal to ``skimage.color.rgb2lab``.

    Args:
        colours: float64 (3, n): red, green, blue, 0 to 1, as they are encoded.

    Returns:
        float64 (3, n): L* 0 to 100, a*, b*.

    Example:
        >>> lab_of_srgb(np.array([[1.0], [0.0], [0.0]])).round(2).ravel().tolist()
        [53.24, 80.09, 67.2]
    """
    bright = _power((colours + 0.055) / 1.055, 2.4)
    red, green, blue = np.where(colours > 0.04045, bright, colours / 12.92)
    # Written out: a library's matrix product may round by how many threads it has.
    xyz = np.stack(
        [
            r / white * red + g / white * green + b / white * blue
            for (r, g, b), white in zip(_XYZ_OF_RGB, _WHITE, strict=True)
        ]
    )
    x, y, z = np.where(xyz > 0.008856, _power(xyz, 1.0 / 3.0), 7.787 * xyz + 16.0 / 116.0)
    return np.stack([116.0 * y - 16.0, 500.0 * (x - y), 200.0 * (y - z)])


def ciede2000(one: Channels, other: Channels) -> Values:
    """Colour difference of each pair; 1 is about what an eye just sees.

    Source: Sharma, Wu, Dalal, "The CIEDE2000 color-difference formula: implementation notes, supplementary test data,
    and mathematical observations" (2005), all three weights 1. Hues stay unit vectors: half their difference is half
    the chord, their mean the direction of their sum, and its multiples follow from the angle sums; only near the blue
    axis is the angle itself needed.

    Args:
        one: float64 (3, n): L*, a*, b*.
        other: float64 (3, n).

    Returns:
        float64 (n,), ≥ 0.

    Example:
        >>> ciede2000(np.array([[50.0], [2.6772], [-79.7751]]), np.array([[50.0], [0.0], [-82.7485]])).round(4).tolist()
        [2.0425]
    """
    (l1, a1, b1), (l2, a2, b2) = one, other
    squared1, squared2 = b1 * b1, b2 * b2
    stretch = 1.5 - 0.5 * _seventh(0.5 * (np.sqrt(a1 * a1 + squared1) + np.sqrt(a2 * a2 + squared2)))
    a1, a2 = a1 * stretch, a2 * stretch
    c1, c2 = np.sqrt(a1 * a1 + squared1), np.sqrt(a2 * a2 + squared2)
    chroma = 0.5 * (c1 + c2)
    # A colour without chroma has no hue: its vector is zero, and the mean is the other's.
    divisor1, divisor2 = c1 + _TINY, c2 + _TINY
    x1, y1, x2, y2 = a1 / divisor1, b1 / divisor1, a2 / divisor2, b2 / divisor2
    cos, sin = _mean_hue(x1, y1, x2, y2)
    chord_squared = np.square(x1 - x2) + np.square(y1 - y2)

    weight = _polynomial(_IN_COSINE, cos) + sin * _polynomial(_BESIDE_SINE, cos)
    middle = np.square(0.5 * (l1 + l2) - 50.0)
    lightness = (l2 - l1) / (1.0 + 0.015 * middle / np.sqrt(20.0 + middle))
    chroma_part = (c2 - c1) / (1.0 + 0.045 * chroma)
    hue_scale = 1.0 + 0.015 * chroma * weight
    hue_squared = c1 * c2 * chord_squared / np.square(hue_scale)
    total = lightness * lightness + chroma_part * chroma_part + hue_squared
    blue = np.flatnonzero((sin < 0) | (cos < _NOT_BLUE))
    if blue.size:
        turn = _blue_turn(cos[blue], sin[blue]) * _seventh(chroma[blue])
        hue_part = np.sqrt(hue_squared[blue])
        hue_part[_is_clockwise(x1[blue], y1[blue], x2[blue], y2[blue])] *= -1.0
        total[blue] -= 2.0 * turn * chroma_part[blue] * hue_part
    return np.asarray(np.sqrt(np.maximum(total, 0.0)))


def _mean_hue(x1: Values, y1: Values, x2: Values, y2: Values) -> tuple[Values, Values]:
    """Cosine and sine of the mean hue; of opposite hues, of the one that is 90 degrees beyond the lesser."""
    x, y = x1 + x2, y1 + y2
    squared = x * x + y * y
    if squared.min(initial=1.0) < _OPPOSITE:
        at = np.flatnonzero(squared < _OPPOSITE)
        lesser = np.where(_is_low(x1[at], y1[at]), 1.0, -1.0)
        x[at], y[at] = -lesser * y1[at], lesser * x1[at]
        squared[at] = x[at] ** 2 + y[at] ** 2 + _TINY
    length = np.sqrt(squared)
    return x / length, y / length


def _is_clockwise(x1: Values, y1: Values, x2: Values, y2: Values) -> npt.NDArray[np.bool_]:
    """Whether the second hue is less than the first, the short way round; between opposite ones, by their angles."""
    turn = x1 * y2 - y1 * x2
    return np.asarray((turn < 0) | ((turn == 0) & ~_is_low(x1, y1)))


def _is_low(x: Values, y: Values) -> npt.NDArray[np.bool_]:
    """Whether a hue is at least 0 and below 180 degrees."""
    return np.asarray((y > 0) | ((y == 0) & (x > 0)))


def _blue_turn(cos: Values, sin: Values) -> Values:
    """Sine of twice the turn of the blue axis at a mean hue."""
    degrees = np.degrees(np.arctan2(sin, cos)) % 360.0
    return np.asarray(np.sin(np.radians(60.0) * np.exp(-np.square((degrees - _BLUE_DEGREES) / _BLUE_WIDTH))))


def _polynomial(coefficients: tuple[float, ...], x: Values) -> Values:
    """By Horner's rule, the highest power first."""
    value = coefficients[0] * x
    for coefficient in coefficients[1:-1]:
        value += coefficient
        value *= x
    value += coefficients[-1]
    return value


def _hue_weight() -> tuple[tuple[float, ...], tuple[float, ...]]:
    """The weight T = 1 - 0.17 cos(h - 30°) + 0.24 cos 2h + 0.32 cos(3h + 6°) - 0.20 cos(4h - 63°) as two polynomials in
    cos h, of which the second is multiplied by sin h; the highest power first.
    """
    (c1, s1), (c3, s3), (c4, s4) = (
        (factor * np.cos(np.radians(degrees)), -factor * np.sin(np.radians(degrees)))
        for factor, degrees in ((-0.17, -30.0), (0.32, 6.0), (-0.20, -63.0))
    )
    c2 = 0.24
    in_cosine = (8 * c4, 4 * c3, 2 * c2 - 8 * c4, c1 - 3 * c3, 1 - c2 + c4)
    beside_sine = (8 * s4, 4 * s3, -4 * s4, s1 - s3)
    return tuple(map(float, in_cosine)), tuple(map(float, beside_sine))


def _seventh(chroma: Values) -> Values:
    """√(c⁷ ÷ (c⁷ + 25⁷))."""
    cubed = chroma * chroma * chroma
    seventh = cubed * cubed * chroma
    return np.sqrt(seventh / (seventh + 25.0**7))


def _power(values: Channels, exponent: float) -> Channels:
    """OpenCV's, which is several times as fast as NumPy's and right to 1e-14."""
    return np.asarray(cv2.pow(values, exponent))


_IN_COSINE, _BESIDE_SINE = _hue_weight()
