"""What the two good releases of a model are worth, over all cases and slice by slice, as Markdown tables."""

from __future__ import annotations

from collections.abc import Sequence

from penstock.families.registry import find_metric
from penstock.gating.measured import MetricMean, summarise
from penstock.gating.measurements import MeasurementSource

LEVEL = 0.05
LEFT_OUT = ("smoke",)
"""Slices that say nothing of a model."""
Means = dict[tuple[str, str | None], MetricMean]
"""Metric and slice (``None``: all cases) → its mean."""


def figures(metrics: Sequence[str], before: MeasurementSource, after: MeasurementSource) -> str:
    """Two tables: each metric over all cases, then those that single cases have, slice by slice: ``0.08 → 0.07``."""
    sides = [_means(side) for side in (before, after)]
    lines = [f"| | {before.name} | {after.name} |", "|---|---|---|"]
    lines += [
        f"| {_title(metric)} | " + " | ".join(_text(side.get((metric, None))) for side in sides) + " |"
        for metric in metrics
    ]
    slices = sorted({name for side in sides for _, name in side if name is not None} - set(LEFT_OUT))
    of_cases = [metric for metric in metrics if any(_pair(sides, metric, name) for name in slices)]
    lines += ["", "| slice | " + " | ".join(map(_title, of_cases)) + " |", "|---|" + "---|" * len(of_cases)]
    for name in slices:
        cells = [_pair(sides, metric, name) for metric in of_cases]
        if any(cells):
            lines.append(f"| `{name}` | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def _means(side: MeasurementSource) -> Means:
    found = summarise(side, level=LEVEL)
    return {(each.metric, each.slice): each for each in (*found.metrics, *found.slices)}


def _title(metric: str) -> str:
    known = find_metric(metric)
    return f"{known.title}, {known.unit}" if known and known.unit else known.title if known else metric


def _text(found: MetricMean | None) -> str:
    if found is None or found.mean is None:
        return "–"
    known = find_metric(found.metric)
    return f"{found.mean:.{known.digits if known else 3}f}"


def _pair(sides: Sequence[Means], metric: str, name: str | None) -> str:
    """Empty where neither has a value."""
    texts = [_text(side.get((metric, name))) for side in sides]
    return "" if set(texts) == {"–"} else " → ".join(texts)
