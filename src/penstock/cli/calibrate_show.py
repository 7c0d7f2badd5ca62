"""What a person sees of a calibration: one row a metric and slice, and margins that are finer than the noise."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from penstock.cli.gate import PLAIN_WIDTH
from penstock.contract.policy import Policy
from penstock.foundation.errors import printable
from penstock.gating.calibration import Calibration, Noise

FEW_RUNS = 4
"""Below, a standard deviation between runs may be off by half."""
HEADS = (
    "metric",
    "slice",
    "cases",
    "mean",
    "sd of the mean",
    "sd of a case's difference",
    "smallest change",
    "%",
    "smallest margin",
)


def show(calibration: Calibration, policy: Policy | None, file: Path, *, left_out: Sequence[str], table: bool) -> None:
    """The table on standard output; what to mind, and where the file is, on standard error if there is no table."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    width = None if sys.stdout.isatty() else PLAIN_WIDTH
    console = Console(stderr=not table, width=width, highlight=False, soft_wrap=True)
    if table:
        rows = Table(box=None, pad_edge=False)
        for place, head in enumerate(HEADS):
            rows.add_column(head, justify="left" if place < 2 else "right")
        for noise in calibration.metrics:
            if noise.slice is not None and noise.deterministic:
                continue  # the row over all cases says it
            rows.add_row(*(Text(printable(cell)) for cell in _row(noise)))
        console.print(rows, soft_wrap=False)
    for line in remarks(calibration, policy, left_out):
        console.print(Text(printable(line)))
    runs, cases = len(calibration.runs), calibration.measured_on.cases
    of = f" of {calibration.measured_on.model}" if calibration.measured_on.model else ""
    commit = f" at {calibration.measured_on.commit[:12]}" if calibration.measured_on.commit else ""
    suite = f" over {cases} cases" if cases else ""
    console.print(Text(printable(f"{runs} runs{of}{commit}{suite}: {file}")))


def _row(noise: Noise) -> list[str]:
    share = noise.smallest_change_per_cent
    return [
        noise.metric,
        noise.slice or "",
        str(noise.cases),
        _number(noise.mean, noise.unit),
        _number(noise.noise, noise.unit),
        _number(noise.sd_difference, noise.unit),
        "any" if noise.deterministic else _number(noise.smallest_change, noise.unit),
        "" if share is None or noise.deterministic else f"{share:.3g}",
        "none holds" if noise.smallest_margin is None else _number(noise.smallest_margin, noise.unit),
    ]


def _number(value: float, unit: str) -> str:
    return f"{value:.4g} {unit}".strip()


def remarks(calibration: Calibration, policy: Policy | None, left_out: Sequence[str]) -> list[str]:
    """What to mind: few runs, metrics without noise, metrics left out, margins that are finer than the noise."""
    found = []
    if len(calibration.runs) < FEW_RUNS:
        found.append(f"{len(calibration.runs)} runs show a standard deviation only roughly; five or more are better.")
    if still := sorted({noise.metric for noise in calibration.metrics if noise.deterministic and noise.slice is None}):
        found.append(f"The same in every run, so that any change at all is one of the model: {', '.join(still)}.")
    if left_out:
        found.append(f"Without a value in any run, and so not recorded: {', '.join(left_out)}.")
    return found + [f"warning: {text}" for text in margins_too_fine(calibration, policy)]


def margins_too_fine(calibration: Calibration, policy: Policy | None) -> list[str]:
    """A sentence for each rule whose margin is below 2 standard deviations of the noise."""
    found = []
    for rule in policy.rules if policy is not None else ():
        noise = calibration.of(rule.metric, rule.slice)
        if rule.margin is None or rule.margin.noise or rule.margin.floor or noise is None:
            continue
        amount = rule.margin.amount * (abs(noise.mean) if rule.margin.relative else 1)
        if text := calibration.too_fine(rule.metric, rule.slice, amount):
            found.append(text)
    return found
