"""How ``penstock evaluate`` shows what it found: a table of all photos, one of the slices, or JSON."""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from penstock.foundation.errors import printable
from penstock.gating.by_slice import SliceRow
from penstock.gating.compare import Comparison, MetricChange
from penstock.gating.measured import MetricMean, SideMeans
from penstock.local_run.requested_evaluation import Evaluation
from penstock.report.cases import number
from penstock.report.slice_rows import SliceSection, slice_section
from penstock.report.summary import interval_words

PLAIN_WIDTH = 160
MAX_FAILED = 20


def print_json(found: Evaluation, out: Path | None) -> None:
    """One object: the table's numbers, unrounded."""
    content: dict[str, Any] = {"family": found.family, "cases": found.cases, **dataclasses.asdict(found.about)}
    content["by_slice"] = [_row(row) for row in found.slices.rows] if found.slices is not None else []
    content["by_slice_left_out"] = found.slices.left_out if found.slices is not None else 0
    content["failed"] = [dataclasses.asdict(each) for each in found.failed]
    content["page"] = str(out / "index.html") if out is not None else None
    typer.echo(json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False))


def _row(row: SliceRow) -> dict[str, Any]:
    values = [
        {
            "metric": value.mean.metric,
            "mean": value.mean.mean,
            "interval": value.mean.interval,
            "n": value.mean.n,
            "change": value.change.change if value.change is not None else None,
            "change_interval": value.change.interval if value.change is not None else None,
            "standing": value.standing or None,
        }
        for value in row.values
    ]
    return {"slice": row.slice, "cases": row.cases, "share": row.share, "metrics": values}


def print_evaluation(found: Evaluation, out: Path | None) -> None:
    """The tables, what could not be measured, and where the page is."""
    console = Console(width=None if sys.stdout.isatty() else PLAIN_WIDTH, highlight=False)

    def say(text: str) -> None:
        console.print(Text(printable(text)), soft_wrap=True)

    about = found.about
    names = f"{about.baseline} to {about.candidate}" if isinstance(about, Comparison) else about.name
    compared = "from " if isinstance(about, Comparison) else ""
    say(f"{compared}{names}: {found.cases} photos, {found.family}; bounds at level {about.level:g}; no rule is applied")
    for note in about.notes if isinstance(about, Comparison) else ():
        say(f"! {note}")
    console.print(_changes(about.metrics) if isinstance(about, Comparison) else _means(about.metrics))
    if found.slices is not None:
        console.print()
        section = slice_section(found.slices)
        console.print(_slices(section))
        if section.left_out:
            say(f"! {section.left_out_words}")
        say("  all metrics by slice: --json" + (", and the page" if out is not None else ""))
    for note, titles in _notes(about).items():
        say(f"  {', '.join(titles)}: {note}")
    for each in found.failed[:MAX_FAILED]:
        say(f"! {each.side}, {each.case}: {each.reason}")
    if len(found.failed) > MAX_FAILED:
        say(f"! and {len(found.failed) - MAX_FAILED} more")
    if out is not None:
        say(f"page: {out / 'index.html'}")


def _notes(about: Comparison | SideMeans) -> dict[str, list[str]]:
    """What is said of metrics over all cases → the metrics that it is said of: a lost case has most of them alike."""
    found: dict[str, list[str]] = {}
    for entry in about.metrics:
        if entry.note:
            found.setdefault(entry.note, []).append(number(entry.metric, None, None).title)
    return found


def _slices(section: SliceSection) -> Table:
    """A line for each slice; in a cell the mean, its interval, the change, its interval."""
    heads = [f"{head.title} [{head.unit}]" if head.unit else head.title for head in section.heads]
    table = _table("slice", "cases", "share", *heads)
    for line in section.lines:
        cells = []
        for cell in line.cells:
            moved = f"{cell.change} {cell.standing}".strip()
            lines = [cell.mean, cell.interval or "–"]
            lines += [moved or "–", cell.change_interval or "–"] if section.compared else []
            cells.append("\n".join(lines))
        last = line is section.lines[-1]
        _add(table, line.name, str(line.cases), line.share, *(cell + ("" if last else "\n") for cell in cells))
    return table


def _changes(changes: Sequence[MetricChange]) -> Table:
    table = _table("metric", "baseline", "candidate", "change", "interval", "better", "worse", "cases")
    for found in changes:
        row = number(found.metric, found.candidate, found.baseline, unit=found.unit)
        bounds = interval_words(found.metric, found.interval) if found.interval is not None else "–"
        change = row.change if found.change is not None else "–"
        wins = (str(found.better), str(found.worse)) if found.direction is not None and found.n else ("–", "–")
        _add(table, _title(found), row.baseline, row.candidate, change, bounds, *wins, str(found.n))
    return table


def _means(means: Sequence[MetricMean]) -> Table:
    table = _table("metric", "mean", "interval", "cases")
    for found in means:
        row = number(found.metric, found.mean, None, unit=found.unit)
        bounds = "–"
        if found.interval is not None:
            bounds = " … ".join(number(found.metric, bound, None).candidate for bound in found.interval)
        _add(table, _title(found), row.candidate, bounds, str(found.n))
    return table


def _title(found: MetricChange | MetricMean) -> str:
    """``SAD (hair)``, ``HD95 [px]``."""
    row = number(found.metric, None, None, unit=found.unit)
    title = row.title if found.slice is None else f"{row.title} ({found.slice})"
    return f"{title} [{row.unit}]" if row.unit else title


def _add(table: Table, *cells: str) -> None:
    table.add_row(*(Text("\n".join(map(printable, cell.split("\n")))) for cell in cells))


def _table(first: str, *others: str) -> Table:
    table = Table(first, box=None, pad_edge=False)
    for title in others:
        table.add_column(Text(title), justify="right")
    return table
