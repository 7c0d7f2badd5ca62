"""What a family draws of a suite as a whole, from the answers that were measured."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from penstock.bundle.directory import Bundle
from penstock.bundle.figures_record import FIGURES_FILE, Figures, write_figures
from penstock.contract.models import Case
from penstock.evaluation.measurer import Answer
from penstock.families.family import Family
from penstock.foundation.errors import one_line
from penstock.foundation.references import load

log = logging.getLogger(__name__)


def draw_figures(
    family: Family,
    bundle: Bundle,
    cases: Sequence[Case],
    answers: Sequence[Answer],
    released: Sequence[Answer | None],
) -> None:
    """Write ``figures.json``; a family that draws nothing has none.

    A drawing that fails costs the report its figures, not the run its measurements: the record says why.

    Args:
        family: whose models these are.
        bundle: where it goes.
        cases: of the suite.
        answers: of the candidate, one a case.
        released: of the released model; ``None`` of each where there is none.
    """
    if family.figures is None:
        (bundle.path / FIGURES_FILE).unlink(missing_ok=True)
        return
    known = [answer for answer in released if answer is not None]
    try:
        drawn = load(family.figures)(cases, answers, known if len(known) == len(cases) else None)
        found = Figures(figures=list(drawn))
    except Exception as error:  # the answers are hostile, and the values have been measured
        reason = one_line(f"{type(error).__name__}: {error}")[:300]
        log.warning("the figures cannot be drawn: %s", reason, exc_info=error)
        found = Figures(note=f"The figures cannot be drawn: {reason}")
    write_figures(bundle, found)
