"""The measurements of one side on their own: the mean of each metric, how sure it is, and the same slice by slice."""

from __future__ import annotations

from dataclasses import dataclass

from penstock.bundle.models import WHOLE_SUITE
from penstock.contract.policy import Direction
from penstock.families.registry import find_metric, in_order
from penstock.gating.compare import in_slices
from penstock.gating.decision import change_interval, mean
from penstock.gating.evidence import weigh, weigh_resamples
from penstock.gating.measurements import MeasurementSource, Table
from penstock.gating.wording import named


@dataclass(frozen=True)
class MetricMean:
    """One metric over the cases, or over those of one slice."""

    metric: str
    slice: str | None
    unit: str
    direction: Direction | None
    """Which way is better, where that is known."""
    mean: float | None
    """``None``: a case has no value. A mean over the others would flatter a model that fails on the hard ones."""
    interval: tuple[float, float] | None
    """One-sided bounds of the mean, each at the level; ``None``: too few cases."""
    n: int
    """Cases that have a value; of a value of the whole suite or slice, those that its resamples were drawn from."""
    note: str = ""
    """Why there is no mean."""


@dataclass(frozen=True)
class SideMeans:
    """One side."""

    name: str
    level: float
    metrics: list[MetricMean]
    slices: list[MetricMean]
    """The same metrics, slice by slice."""


def summarise(side: MeasurementSource, *, level: float) -> SideMeans:
    """The mean of each metric with its interval.

    Args:
        side: what was measured.
        level: of the intervals: how often each of their bounds may be wrong.

    Raises:
        UsageError: it has a value twice, or both kinds of value of one metric.
    """
    table = Table("candidate", side.measurements, side.cases)
    metrics = in_order(table.by_metric)
    return SideMeans(
        side.name,
        level,
        [mean_of(table, metric, None, level) for metric in metrics],
        [mean_of(table, metric, name, level) for name, metric in in_slices(metrics, table, table)],
    )


def mean_of(table: Table, metric: str, slice_name: str | None, level: float) -> MetricMean:
    """The mean of one metric, over all cases or those of one slice (``None``: all), with its interval."""
    found, known = table.values(metric, slice_name), find_metric(metric)
    unit = known.unit if known else next((one.unit for one in table.by_metric[metric].values() if one.unit), "")
    values = [found.by_case[case] for case in sorted(found.by_case)]
    lost = f"no value for {named(found.lost)}" if found.lost else ""
    if WHOLE_SUITE in found.lost:
        lost = f"no value: {found.lost[WHOLE_SUITE]}"
    whole = bool(values) and not lost
    again = found.resamples
    interval, cases = None, len(values)
    if whole and again is not None and len(again.values) > 1:
        cases = again.cases
        interval = change_interval(weigh_resamples(values[0], again.values, cases), "lower", level)
    elif whole and len(values) > 1:  # one case shows no spread, even where its value is 0
        interval = change_interval(weigh(values), "lower", level)
    return MetricMean(
        metric,
        slice_name,
        unit,
        known.direction if known else None,
        mean(values) if whole else None,
        interval,
        cases,
        lost,
    )
