"""The answer of ``/compare``: how alike two images are, and whether that may be believed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from penstock.families.face.feature_answer import UNBOUNDED, BadAnswerError, field, number_at, read_answer, share_at
from penstock.foundation.strict_json import show_json
from penstock.metrics.quality import BANDS, band_of
from penstock.metrics.recognition_text import is_blank

DECISIONS = dict(zip(BANDS, ("pass", "mark", "retry", "refused"), strict=True))
"""Band of the lower quality score → what is decided."""
REFUSED = DECISIONS["refuse"]
MAX_ADVICE = 10_000
"""Characters."""


@dataclass(frozen=True)
class CompareAnswer:
    """What a service says of two images.

    Attributes:
        similarity: a cosine; ``None``: it refuses to say.
        qualities: of the first and of the second image, from 0 to 1.
        decision: one of :data:`DECISIONS`.
        advice: what people are told.
    """

    similarity: float | None
    qualities: tuple[float, float]
    decision: str
    advice: str

    @property
    def refused(self) -> bool:
        """Whether it refuses to compare them."""
        return self.decision == REFUSED


def read_compare(file: Path) -> CompareAnswer:
    """Read and check an answer of ``/compare``.

    Raises:
        BadAnswerError: something is missing or is not as it should be; ``what`` says it.
    """
    answer = read_answer(file)
    qualities = share_at(answer, "quality_score1", UNBOUNDED), share_at(answer, "quality_score2", UNBOUNDED)
    decision, advice = field(answer, "decision"), field(answer, "advice")
    if decision not in DECISIONS.values():
        raise BadAnswerError(f"'decision' is {show_json(decision)}, none of {', '.join(DECISIONS.values())}")
    if not isinstance(advice, str):
        raise BadAnswerError(f"'advice' is {show_json(advice)}, not a text")
    if len(advice) > MAX_ADVICE:
        raise BadAnswerError(f"'advice' has {len(advice):,} characters, and {MAX_ADVICE:,} are the limit")
    similarity = None
    if field(answer, "similarity") is not None:
        similarity = number_at(answer, "similarity")
    elif decision != REFUSED:
        raise BadAnswerError(f"'similarity' is null, and the decision is '{decision}': only a refusal has none")
    return CompareAnswer(similarity, qualities, str(decision), advice)


def band_fault(answer: CompareAnswer) -> str:
    """What is wrong with the decision, given the quality scores; empty where it is right."""
    lower = min(answer.qualities)
    band = list(BANDS)[int(band_of(np.array([lower]))[0])]
    if answer.decision != DECISIONS[band]:
        least = f"at least {BANDS[band]:g}" if BANDS[band] else f"below {BANDS['retry']:g}"
        return (
            f"the lower quality score is {lower:.4g}, {least}, so that the decision must be '{DECISIONS[band]}', "
            f"whatever the similarity; it is '{answer.decision}'"
        )
    if answer.refused and is_blank(answer.advice):
        return "it is refused without a reason: 'advice' is blank"
    return ""
