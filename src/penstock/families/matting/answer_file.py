"""What came back for a photo: a cut-out; or, where the contract's parameter ``answer_is`` says so, a matte alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from penstock.contract.placeholders import Scalar
from penstock.foundation.errors import UsageError
from penstock.media.mattes import Alpha, read_cutout, read_matte

ANSWER_IS = "answer_is"
CUTOUT, MATTE = "cutout", "matte"


@dataclass(frozen=True)
class AnswerFile:
    """An answer that was read."""

    alpha: Alpha
    rgba: npt.NDArray[np.uint8] | None
    """(H, W, 4), not premultiplied; ``None``: it is a matte, and has no colours."""


class NoAnswerError(UsageError):
    """What came back is not what was asked for."""


def read_answer(file: Path, given: Mapping[str, Scalar]) -> AnswerFile:
    """Read what came back.

    Args:
        file: a PNG: with alpha; as a matte also grey without any.
        given: the case's parameters; ``answer_is``: ``cutout``, also by default, or ``matte``.

    Raises:
        NoAnswerError: it is no such PNG.
        UsageError: the parameter is neither of the two.
    """
    kind = given.get(ANSWER_IS, CUTOUT)
    if kind not in (CUTOUT, MATTE):
        raise UsageError(
            f"'{ANSWER_IS}' is {kind!r}",
            where=f"call.parameters.{ANSWER_IS}",
            todo=f"Say '{CUTOUT}' (a PNG with alpha) or '{MATTE}' (a grey PNG).",
        )
    try:
        if kind == MATTE:
            return AnswerFile(read_matte(file), None)
        cutout = read_cutout(file)
    except UsageError as error:
        wanted = "a matte (grey PNG)" if kind == MATTE else "a PNG with alpha"
        raise NoAnswerError(f"the output is not {wanted}: {error.what}") from error
    return AnswerFile(cutout.alpha, cutout.rgba)
