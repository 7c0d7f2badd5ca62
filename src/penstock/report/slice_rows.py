"""The table of slices as people read it: shares in percent and their changes in percentage points."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from penstock.bundle.models import Run
from penstock.families.registry import find_family, find_metric, is_stand_in
from penstock.gating.by_slice import SliceRow, SliceTable, SliceValue, Standing, by_slice, chosen_metrics
from penstock.gating.measurements import MeasurementSource
from penstock.report.cases import Criterion, number, shown, signed
from penstock.report.run_records import Side

ALL = "all cases"


@dataclass(frozen=True)
class SliceHead:
    """One column."""

    title: str
    unit: str
    """``%`` of shares."""
    change_unit: str
    """``points`` of shares: percentage points."""
    better: str
    """``higher is better``; empty where that is not known."""
    stand_in: bool


@dataclass(frozen=True)
class SliceCell:
    """One metric of a slice."""

    mean: str
    interval: str
    change: str
    """With its sign; empty: nothing was compared."""
    change_interval: str
    standing: Standing
    note: str
    """What is missing; empty: nothing."""


@dataclass(frozen=True)
class SliceLine:
    """One slice, or all cases."""

    name: str
    whole: bool
    """It is all cases."""
    cases: int
    share: str
    """``41 %`` of the cases."""
    cells: list[SliceCell]


@dataclass(frozen=True)
class SliceSection:
    """The table."""

    heads: list[SliceHead]
    lines: list[SliceLine]
    left_out: int
    """Smaller slices that it does not have."""
    compared: bool
    """Whether there is a baseline."""

    @property
    def left_out_words(self) -> str:
        """``3 smaller slices are not shown``; empty: all are there."""
        if not self.left_out:
            return ""
        return f"{self.left_out} smaller slice{' is' if self.left_out == 1 else 's are'} not shown"

    @property
    def in_points(self) -> bool:
        """Whether a column's changes are percentage points."""
        return any(head.change_unit == "points" for head in self.heads)


def slices_of(candidate: Side, baseline: Side | None, criteria: Iterable[Criterion], level: float) -> SliceTable | None:
    """The slices of a page; ``None`` where the cases have none.

    Args:
        candidate: the run that the page is of.
        baseline: what it is compared with, if anything.
        criteria: by what the page ranks cases; their metrics are the columns where the family names none.
        level: of the intervals.
    """
    ranked = list(criteria)
    ways = {by.metric: by.better for by in ranked if by.better is not None}
    metrics = chosen_metrics(own_metrics(candidate.run), [by.metric for by in ranked])
    before = _source(baseline) if baseline is not None else None
    return by_slice(_source(candidate), before, metrics, level=level, ways=ways)


def own_metrics(run: Run) -> tuple[str, ...]:
    """The columns that the run's family names."""
    family = find_family(run.family) if run.family else None
    return family.view.slice_metrics if family is not None else ()


def _source(side: Side) -> MeasurementSource:
    return MeasurementSource(side.name, side.measurements, tuple(side.calls), side.run)


def slice_section(table: SliceTable, extractors: Iterable[str | None] = ()) -> SliceSection:
    """The table in words.

    Args:
        table: the numbers.
        extractors: what each column's values were measured through, where that is known.
    """
    through = list(extractors) or [None] * len(table.metrics)
    return SliceSection(
        [_head(table, place, extractor) for place, extractor in enumerate(through)],
        [_line(row) for row in table.rows],
        table.left_out,
        any(value.change is not None for row in table.rows for value in row.values),
    )


def _head(table: SliceTable, place: int, extractor: str | None) -> SliceHead:
    metric = table.metrics[place]
    first = table.rows[0].values[place]
    way = first.change.direction if first.change is not None else first.mean.direction
    entry = number(metric, None, None, unit=first.mean.unit)
    return SliceHead(
        entry.title,
        "%" if _is_share(metric) else entry.unit,
        "points" if _is_share(metric) else entry.unit,
        f"{way} is better" if way is not None else "",
        is_stand_in(extractor),
    )


def _line(row: SliceRow) -> SliceLine:
    cells = [_cell(value, row.cases) for value in row.values]
    return SliceLine(_name(row.slice), row.slice is None, row.cases, f"{row.share:.0%}".replace("%", " %"), cells)


def _name(slice_name: str | None) -> str:
    """A slice that is called as the line of all cases has its name in quotes."""
    if slice_name is None:
        return ALL
    return f"slice '{slice_name}'" if " ".join(slice_name.split()).casefold() == ALL else slice_name


def _cell(value: SliceValue, cases: int) -> SliceCell:
    found, change = value.mean, value.change
    metric = found.metric
    moved = change is not None and change.change is not None
    notes = [found.note or (change.note if change is not None else "")]
    of_cases = (known := find_metric(metric)) is None or not known.whole_suite
    if of_cases and not found.note and found.n != cases:
        notes.append(f"of {found.n} case{'' if found.n == 1 else 's'}")
    return SliceCell(
        _value(metric, found.mean) if found.mean is not None else "–",
        _bounds([_value(metric, end) for end in found.interval or ()]),
        _change(metric, change.change) if change is not None and change.change is not None else "",
        _bounds([_change(metric, end) for end in change.interval or ()]) if change is not None and moved else "",
        value.standing,
        "; ".join(note for note in notes if note),
    )


def _bounds(ends: list[str]) -> str:
    return " … ".join(ends)


def _is_share(metric: str) -> bool:
    known = find_metric(metric)
    return known is not None and known.share


def _value(metric: str, value: float) -> str:
    known = find_metric(metric)
    if known is not None and known.share:
        return f"{100 * value:.{max(0, known.digits - 2)}f}"
    return shown(metric, value)


def _change(metric: str, value: float) -> str:
    known = find_metric(metric)
    if known is not None and known.share:
        return f"{100 * value:+.{max(0, known.digits - 2)}f}"
    return signed(metric, value)
