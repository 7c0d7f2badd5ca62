"""How large a video must be: what its case asked for, by ``size`` or by the parameter ``min_resolution``."""

from __future__ import annotations

from collections.abc import Mapping

from penstock.contract.placeholders import Scalar
from penstock.evaluation.measurer import Value
from penstock.families.talking_head.case import MIN_RESOLUTION

Size = tuple[int, int]
"""Width and height in pixels, as the video is shown: upright."""


def size_error(video: Size, asked: Size | None, given: Mapping[str, Scalar]) -> tuple[Value, str]:
    """How many pixels a video is off the size that was asked for.

    Args:
        video: its size.
        asked: the case's ``size``, which must be met exactly; ``None``: it says none, and the parameter
            ``min_resolution`` says how long the shorter side must be at least.
        given: the case's parameters, with the contract's defaults.

    Returns:
        Pixels, at least 0, or the reason why there is no value; and why the value is not 0, with both sizes (empty: it
        is). With a ``size`` they are those of the side that is further off.

    Example:
        >>> size_error((192, 192), None, {"min_resolution": 256})
        (64.0, "the video is 192x192 pixels, and the shorter side must have 256 or more ('min_resolution')")
        >>> size_error((256, 256), (256, 256), {})
        (0.0, '')
    """
    shown = f"{video[0]}x{video[1]}"
    if asked is not None:
        off = max(abs(have - want) for have, want in zip(video, asked, strict=True))
        why = f"the video is {shown} pixels, and {asked[0]}x{asked[1]} were asked for" if off else ""
        return float(off), why
    least = given.get(MIN_RESOLUTION)
    if least is None:
        return "no size was asked for", ""  # the case says so itself: the metric does not apply to it
    if not isinstance(least, int) or isinstance(least, bool) or least < 1:
        return f"the parameter '{MIN_RESOLUTION}' is no whole number of pixels above 0", ""
    short = max(0, least - min(video))
    why = f"the video is {shown} pixels, and the shorter side must have {least} or more ('{MIN_RESOLUTION}')"
    return float(short), why if short else ""
