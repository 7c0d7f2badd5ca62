"""Slices beside each other: what counts most, over all cases and in each slice, and how it changed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from penstock.bundle.models import WHOLE_SUITE
from penstock.contract.policy import Direction
from penstock.gating.compare import MetricChange, change_of
from penstock.gating.measured import MetricMean, mean_of
from penstock.gating.measurements import MeasurementSource, Table

MAX_METRICS = 6
MAX_SLICES = 40
"""The largest; the others are counted."""
Standing = Literal["better", "worse", "same", "open", ""]


@dataclass(frozen=True)
class SliceValue:
    """One metric over the cases of a slice."""

    mean: MetricMean
    """The candidate's."""
    change: MetricChange | None
    """Against the baseline, over the cases that have a value on both sides; ``None``: there is no baseline."""

    @property
    def standing(self) -> Standing:
        """Whether the change is sure: ``better`` or ``worse`` if its whole interval is, ``same`` if nothing moved at
        all, else ``open``. Empty where nothing was compared, or no way is better.

        Where the candidate lacks a value nothing is ``better`` or the ``same``: the hard cases may be those it lacks.
        """
        found = self.change
        if found is None or found.change is None or found.direction is None:
            return ""
        if found.interval is None:
            return "open"
        low, high = found.interval
        whole = self.mean.mean is not None
        if low == high == 0:
            return "same" if whole else "open"
        if low <= 0 <= high:
            return "open"
        if (low > 0) == (found.direction == "lower"):
            return "worse"
        return "better" if whole else "open"


@dataclass(frozen=True)
class SliceRow:
    """One slice."""

    slice: str | None
    """``None``: all cases."""
    cases: int
    """Of the candidate, with or without values."""
    share: float
    """Of all cases, 0 to 1."""
    values: list[SliceValue]
    """In the order of the table's metrics."""


@dataclass(frozen=True)
class SliceTable:
    """All cases first, then each slice by its name."""

    metrics: list[str]
    rows: list[SliceRow]
    left_out: int = 0
    """Further slices, smaller than those that are there."""


def by_slice(
    candidate: MeasurementSource,
    baseline: MeasurementSource | None,
    metrics: Sequence[str],
    *,
    level: float,
    ways: Mapping[str, Direction] | None = None,
) -> SliceTable | None:
    """Put the candidate's slices beside each other; ``None`` where its cases have none, or no metric is left.

    Args:
        candidate: what was measured.
        baseline: what it is compared with, if anything.
        metrics: which are wanted, the most important first; those that say nothing of a slice are left out.
        level: of the intervals: how often each of their bounds may be wrong.
        ways: metric → which way is better, of those that Penstock does not know.

    Raises:
        UsageError: a side has a value twice, or both kinds of value of one metric.
    """
    ours = Table("candidate", candidate.measurements, candidate.cases)
    theirs = Table("baseline", baseline.measurements, baseline.cases) if baseline is not None else None
    wanted = [name for name in dict.fromkeys(metrics) if _has_slices(ours, name)][:MAX_METRICS]
    cases = (set(ours.slices) | set(candidate.cases)) - {WHOLE_SUITE}
    sizes = Counter(name for case in cases for name in ours.slices.get(case, ()))
    if not wanted or not sizes:
        return None
    shown = sorted(sizes, key=lambda name: (-sizes[name], name))[:MAX_SLICES]
    rows = [
        SliceRow(
            name,
            size := sizes[name] if name is not None else len(cases),
            size / len(cases),
            [_value(metric, name, ours, theirs, level, ways or {}) for metric in wanted],
        )
        for name in (None, *sorted(shown))
    ]
    return SliceTable(wanted, rows, len(sizes) - len(shown))


def _has_slices(table: Table, metric: str) -> bool:
    """Whether single cases or whole slices have values of the metric: one for the whole suite says nothing of them."""
    known = table.by_metric.get(metric, {})
    if WHOLE_SUITE in known:
        if known[WHOLE_SUITE].ratings is not None:
            return False  # people's ratings compare with the released model already, and have a table of their own
        return any(table.values(metric, name).by_case for name in table.whole_slices(metric))
    return any(found.value is not None for found in known.values())


def _value(
    metric: str, name: str | None, ours: Table, theirs: Table | None, level: float, ways: Mapping[str, Direction]
) -> SliceValue:
    found = mean_of(ours, metric, name, level)
    if theirs is None or metric not in theirs.by_metric:
        return SliceValue(found, None)
    return SliceValue(found, change_of(metric, name, ours, theirs, found.direction or ways.get(metric), level))


def chosen_metrics(own: Iterable[str], otherwise: Iterable[str]) -> list[str]:
    """The metrics of a table of slices: those that the family names, else others, such as those that rules name."""
    return list(dict.fromkeys(own)) or list(dict.fromkeys(otherwise))
