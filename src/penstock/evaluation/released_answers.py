"""Metrics that compare with the released model's answers: what is compared, and where they say nothing.

What the released model answered is measured as the candidate's answers are, and both are put beside each other.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import cast

from penstock.bundle.models import WHOLE_SUITE, Measurement
from penstock.contract.models import Case
from penstock.evaluation.measurer import Answer, ComparingMeasurer, Measurer, Value, measurement
from penstock.families.family import Metric
from penstock.foundation.errors import PenstockError

log = logging.getLogger(__name__)


def why_not_compared(released: Answer | None) -> str:
    """Why nothing can be compared with the released model's answer to a case; empty where it can.

    Args:
        released: ``None``: there is no released model; without features: it has no answer.
    """
    if released is None:
        return "there is no released model to compare with"
    if released.features is not None:
        return ""
    reason = next((value for value in released.values.values() if isinstance(value, str)), "it failed")
    return f"the released model has no answer to this case: {reason}"


def compared_by_case(metrics: Iterable[Metric]) -> list[str]:
    """Names of the metrics that compare the two answers to one case."""
    return [metric.name for metric in metrics if metric.needs_released and not metric.whole_suite]


def compare(
    measurer: Measurer, metrics: Iterable[Metric], case: Case, answer: Answer, released: Answer | None
) -> Mapping[str, Value]:
    """Compare the two answers to a case: metric → value or reason; nothing where one of them has no features."""
    if released is None or released.features is None or answer.features is None:
        return {}
    try:
        return cast("ComparingMeasurer", measurer).compare(case, answer, released)
    except PenstockError:
        raise
    except Exception as error:  # both answers are hostile, as in measure
        reason = f"the answers cannot be compared: {type(error).__name__}: {' '.join(str(error).split())[:200]}"
        log.warning("case '%s': %s", case.name, reason, exc_info=error)
        return dict.fromkeys(compared_by_case(metrics), reason)


def compare_suite(
    measurer: Measurer,
    metrics: Iterable[Metric],
    cases: Sequence[Case],
    answers: Sequence[Answer],
    released: Sequence[Answer | None],
) -> Iterator[Measurement]:
    """What compares all cases at once; where there is no released model, the lines that say so."""
    known = [answer for answer in released if answer is not None]
    if len(known) == len(answers):
        yield from cast("ComparingMeasurer", measurer).compare_suite(cases, answers, known)
        return
    for metric in metrics:
        if metric.needs_released and metric.whole_suite:
            yield measurement(WHOLE_SUITE, metric.name, why_not_compared(None), applies=False)
