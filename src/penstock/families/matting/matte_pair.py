"""One answer against one truth: every value, or the reason why there is none."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict

import numpy as np
import numpy.typing as npt

from penstock.evaluation.measurer import Value
from penstock.foundation.errors import UsageError
from penstock.media.mattes import Alpha
from penstock.metrics.fringe import fringe
from penstock.metrics.matte import matte_scores
from penstock.metrics.matte_corrections import hce
from penstock.metrics.matte_structure import e_measure, mba, s_measure, weighted_f

STRUCTURE: dict[str, Callable[[Alpha, Alpha], float]] = {
    "s_measure": s_measure,
    "wf": weighted_f,
    "e_measure": e_measure,
    "mba": mba,
    "hce": hce,
}
FRINGE = "fringe"


def score_pair(prediction: Alpha, truth: Alpha, unknown: npt.NDArray[np.bool_] | None = None) -> dict[str, Value]:
    """All metrics of alpha.

    Args:
        prediction: (H, W), 0 to 1.
        truth: the same.
        unknown: (H, W): MAE, MSE, SAD, Grad and Conn look only there; ``None``: everywhere.
    """
    values: dict[str, Value] = asdict(matte_scores(prediction, truth, unknown=unknown))
    for name, compute in STRUCTURE.items():
        try:
            values[name] = compute(prediction, truth)
        except UsageError as error:
            values[name] = error.what
    return values


def score_fringe(rgba: npt.NDArray[np.uint8] | None, foreground: npt.NDArray[np.uint8] | None, truth: Alpha) -> Value:
    """How far the colours along the edge are off.

    Args:
        rgba: the answer, (H, W, 4) RGBA; ``None``: it is a matte without colours.
        foreground: the true colours, (H, W, 3) RGB; ``None``: they are not known.
        truth: the true alpha, (H, W), 0 to 1.
    """
    if foreground is None:
        return "the case names no foreground"
    if rgba is None:
        return "the answer has no colours"
    try:
        return fringe(rgba, foreground, truth)
    except UsageError as error:
        return error.what
