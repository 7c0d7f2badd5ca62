"""How large an answer must be: as the photo, or scaled as the contract's parameters say.

``scale_over`` and ``scale_to``: a photo whose longer side is over ``scale_over`` pixels comes back with a longer side
of ``scale_to``. The truth is then scaled by area to what came back.
"""

from __future__ import annotations

from collections.abc import Mapping

from penstock.contract.placeholders import Scalar
from penstock.foundation.errors import UsageError

Size = tuple[int, int]
"""Width and height."""
SCALE_OVER, SCALE_TO = "scale_over", "scale_to"


def size_fault(answer: Size, photo: Size, given: Mapping[str, Scalar]) -> str | None:
    """What is wrong with the size of an answer; ``None`` if nothing is.

    A side of a scaled answer may be off by one pixel: services round differently.

    Args:
        answer: of what came back.
        photo: of the photo, upright.
        given: the case's parameters.

    Raises:
        UsageError: the parameters make no sense.
    """
    wanted = wanted_size(photo, given)
    slack = 0 if wanted == photo else 1
    if all(abs(have - want) <= slack for have, want in zip(answer, wanted, strict=True)):
        return None
    said = f"the answer is {_text(answer)} pixels where {_text(wanted)} are wanted"
    if wanted != photo:
        return f"{said} of a photo of {_text(photo)}"
    if answer == photo[::-1]:
        return f"{said}: the photo's orientation (EXIF) was not heeded"
    return said


def wanted_size(photo: Size, given: Mapping[str, Scalar]) -> Size:
    """How large the answer to a photo must be.

    Raises:
        UsageError: one of the two parameters is missing, or is no whole number above 0.
    """
    over, to = given.get(SCALE_OVER), given.get(SCALE_TO)
    if over is None and to is None:
        return photo
    for name, value in ((SCALE_OVER, over), (SCALE_TO, to)):
        if not isinstance(value, int) or isinstance(value, bool) or value < 1:
            raise UsageError(
                f"'{name}' is no whole number of pixels",
                where=f"call.parameters.{name}",
                todo=f"Give '{SCALE_OVER}' and '{SCALE_TO}' both, or neither.",
            )
    longer = max(photo)
    if not isinstance(over, int) or not isinstance(to, int) or longer <= over:
        return photo
    width, height = (max(1, round(side * to / longer)) for side in photo)
    return width, height


def _text(size: Size) -> str:
    return f"{size[0]}x{size[1]}"
