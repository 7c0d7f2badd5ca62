"""What is kept of a case for the metrics of the whole suite."""

from __future__ import annotations

from dataclasses import dataclass

from penstock.evaluation.answer_schema import AnswerSchema
from penstock.metrics.detection import PictureBoxes


@dataclass(frozen=True)
class CaseFeatures:
    """Of one answer that is JSON."""

    schema: AnswerSchema | None
    """``None``: there are too many paths for one."""
    fault: str = ""
    """Why its objects cannot be used, although the case asks for labels."""
    confidence: tuple[float, ...] | None = None
    """Of each different label that was found, the highest; ``None``: the case names no labels."""
    correct: tuple[bool, ...] = ()
    """Whether each of them is true."""
    surest: tuple[float, float] | None = None
    """How sure the answer is (0 where nothing was found), and its loss, 0 or 1; ``None``: nothing is to be found."""
    boxes: PictureBoxes | str | None = None
    """A text: why there are none; ``None``: the case does not say where objects are."""
