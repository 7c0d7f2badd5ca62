"""How ``penstock load`` shows what it measured: some lines, or JSON."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping

import typer

from penstock.foundation.errors import printable
from penstock.load.summary import LoadSummary


def print_json(summary: LoadSummary, asked: Mapping[str, object]) -> None:
    """One object: the numbers unrounded, and under ``asked`` what was asked for."""
    content = {**dataclasses.asdict(summary), "asked": dict(asked)}
    typer.echo(json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False))


def print_summary(summary: LoadSummary, asked: Mapping[str, object]) -> None:
    """The same for people."""
    for line in summary_lines(summary, asked):
        typer.echo(printable(line))


def summary_lines(summary: LoadSummary, asked: Mapping[str, object]) -> list[str]:
    """What is said, line by line."""
    wanted = (
        f"{asked['rate']:g} requests a second" if asked["rate"] is not None else f"{asked['concurrency']} at a time"
    )
    lines = [
        f"{asked['method']} {asked['url']}: {wanted}, {summary.seconds:.3g} s",
        f"requests {summary.requests}: {summary.good} good, {summary.errors} errors, {summary.dropped} dropped",
        f"rate     {summary.achieved_rate:.1f} sent a second, {summary.throughput:.1f} good answers a second",
    ]
    for name, value, interval in (
        ("P50", summary.p50_ms, summary.p50_interval_ms),
        ("P95", summary.p95_ms, summary.p95_interval_ms),
        ("P99", summary.p99_ms, summary.p99_interval_ms),
    ):
        low, high = (_ms(bound) for bound in interval)
        lines.append(f"{name}      {_ms(value)} ms, 95 % interval {low} … {high} ms")
    lines.append(f"longest  {_ms(summary.max_ms)} ms")
    for kind, count in summary.errors_by_kind.items():
        if count:
            lines.append(f"  {count} × {kind}: {summary.error_samples.get(kind, '')}".rstrip(": "))
    timing = summary.generator
    lines.append(f"generator late by {timing.late_p99_ms:.2f} ms at P99, {timing.cpu_share:.0%} of a core")
    return [*lines, *(f"! {note}" for note in summary.notes)]


def _ms(value: float | None) -> str:
    return "–" if value is None else f"{value:.4g}" if value < 1000 else f"{value:.0f}"
