"""Metrics of the whole suite taken of each slice: one value for its cases together, with an interval of its own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import cast

from penstock.bundle.models import Measurement, Resamples
from penstock.contract.largest_slices import largest_slices
from penstock.contract.models import Case
from penstock.evaluation.measurer import Answer, Measurer, SlicingMeasurer
from penstock.families.family import Metric

RESAMPLE_DIGITS = 9
"""Significant digits of a resampled value: more is rounding that differs between machines."""


def slice_values(
    measurer: Measurer, metrics: Iterable[Metric], cases: Sequence[Case], answers: Sequence[Answer]
) -> Iterator[Measurement]:
    """The lines of the metrics ``by_slice``, one a metric and slice, of the 40 largest slices.

    Nothing where the family has no such metric.

    Args:
        measurer: the family's; a :class:`penstock.evaluation.measurer.SlicingMeasurer` where it has such metrics.
        metrics: all of the family.
        cases: of the suite, those that the model must answer.
        answers: one a case.
    """
    wanted = {metric.name for metric in metrics if metric.by_slice}
    for name in largest_slices(cases) if wanted else ():
        for line in cast("SlicingMeasurer", measurer).slice_suite(name, cases, answers):
            if line.metric in wanted:
                yield line.model_copy(update={"slice": name, "resamples": _rounded(line)})


def _rounded(line: Measurement) -> Resamples | None:
    if line.resamples is None:
        return None
    values = [float(f"{value:.{RESAMPLE_DIGITS}g}") for value in line.resamples.values]
    return line.resamples.model_copy(update={"values": values})
