"""``penstock compare``: any two bundles or measurement files beside each other."""

from __future__ import annotations

import dataclasses
import json
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from penstock.foundation.errors import UsageError, printable
from penstock.local_run.run_folder import OUT

if TYPE_CHECKING:
    from rich.table import Table

    from penstock.bundle.directory import Bundle
    from penstock.bundle.verdict_record import Verdict
    from penstock.gating.compare import Comparison
    from penstock.gating.measurements import MeasurementSource

PLAIN_WIDTH = 140
LEVEL = 0.05
MAX_NAMED = 10
STAND_IN = " (stand-in)"


def compare(
    a: Annotated[
        str,
        typer.Argument(
            help="A run's name, a version, a tag, a bundle's directory, a measurements.jsonl: the change is from it.",
            metavar="A",
        ),
    ],
    b: Annotated[str, typer.Argument(help="The same, and the change is to it.", metavar="B")],
    policy: Annotated[
        Path | None, typer.Option(help="Also judge B against A by this policy; exit as `penstock gate` does.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Also write the page, index.html, into this directory.")] = None,
    runs: Annotated[Path, typer.Option(help="Where runs lie that are named.")] = OUT,
    store: Annotated[str, typer.Option(help="Where releases are kept that are named; RUNS/store by default.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print the comparison as JSON.")] = False,
) -> None:
    """Put two runs beside each other: what changed, how sure that is, and the worst cases. Exit 0 when compared.

    Example: penstock compare 1.0.0 1.1.0 --out comparison
    """
    from penstock.families.registry import is_stand_in
    from penstock.gating.compare import compare as beside
    from penstock.gating.judge import judge
    from penstock.gating.measurements import read_source
    from penstock.local_run.policy_file import policy_at
    from penstock.local_run.run_names import find_bundle

    rules = policy_at(policy) if policy is not None else None
    first, second = (read_source(find_bundle(text, out=runs, store=store)) for text in (a, b))
    verdict = None
    if rules is not None and policy is not None:
        verdict = judge(second, first, rules, policy if policy.is_dir() else policy.parent)
    comparison = beside(first, second, level=rules.level if rules is not None else LEVEL, policy=rules)
    if out is not None:
        _write_page(first, second, verdict or comparison, out)
    if as_json:
        content = dataclasses.asdict(comparison)
        content["pairs"] = {"baseline": _pair(first), "candidate": _pair(second)}
        content["verdict"] = verdict.model_dump(mode="json") if verdict is not None else None
        typer.echo(json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False))
    else:
        measured = (*first.measurements, *second.measurements)
        stand_ins = {found.metric for found in measured if is_stand_in(found.extractor)}
        _print(comparison, verdict, stand_ins, pairs=(first, second))
        if out is not None:
            typer.echo(f"page: {out / 'index.html'}")
    if verdict is not None:
        from penstock.cli.gate import exit_code

        raise typer.Exit(exit_code(verdict))


def _write_page(first: MeasurementSource, second: MeasurementSource, about: Verdict | Comparison, out: Path) -> None:
    """The page of the report: about the verdict, or about what changed."""
    from penstock.report.page import write_page

    if out.exists() and not out.is_dir():
        raise UsageError("this is a file", where=str(out), todo="Name a directory.")
    with tempfile.TemporaryDirectory(prefix="penstock-compare-") as scratch:
        sides = [_as_bundle(source, Path(scratch) / name) for source, name in ((first, "a"), (second, "b"))]
        write_page(sides[1], sides[0], about, out)


def _as_bundle(source: MeasurementSource, scratch: Path) -> Bundle:
    """The bundle, or one that is made of bare measurements."""
    from penstock.bundle.directory import Bundle

    if source.bundle is not None:
        return source.bundle
    bundle = Bundle(scratch)
    bundle.write_measurements(source.measurements)
    return bundle


def _pair(source: MeasurementSource) -> dict[str, object] | None:
    """Image and weights of one side, by digest; bare measurements have none."""
    from penstock.report.pair import pair_of

    if source.run is None:
        return None
    pair = pair_of(source.run)
    return {"image": pair.image, "weights": pair.weights}


def _print(
    comparison: Comparison,
    verdict: Verdict | None,
    stand_ins: set[str],
    *,
    pairs: tuple[MeasurementSource, MeasurementSource],
) -> None:
    from rich.console import Console
    from rich.text import Text

    from penstock.report.pair import pair_of

    console = Console(width=None if sys.stdout.isatty() else PLAIN_WIDTH, highlight=False)

    def say(text: str) -> None:
        console.print(Text(printable(text)), soft_wrap=True)

    say(f"from {comparison.baseline} to {comparison.candidate}; bounds at level {comparison.level:g}")
    for source in pairs:
        if source.run is not None:
            say(f"  {source.name}: {pair_of(source.run)}")
    for note in comparison.notes:
        say(f"! {note}")
    console.print(_metrics_table(comparison, stand_ins))
    for found in comparison.metrics:
        if found.note:
            say(f"  {found.metric}: {found.note}")
    for side, cases, metrics in (
        (comparison.baseline, comparison.only_baseline, comparison.metrics_only_baseline),
        (comparison.candidate, comparison.only_candidate, comparison.metrics_only_candidate),
    ):
        for what, names in (("cases", cases), ("metrics", metrics)):
            if names:
                more = f" and {len(names) - MAX_NAMED} more" if len(names) > MAX_NAMED else ""
                say(f"only {side} has the {what} {', '.join(names[:MAX_NAMED])}{more}")
    if comparison.worst:
        say("worst cases:")
        console.print(_worst_table(comparison, stand_ins))
    else:
        say("no case became worse in a metric of which it is known which way is better")
    if verdict is not None:
        from penstock.cli.gate import print_verdict

        console.print()
        print_verdict(verdict)


def _metrics_table(comparison: Comparison, stand_ins: set[str]) -> Table:
    from rich.text import Text

    from penstock.report.cases import number
    from penstock.report.summary import interval_words

    table = _table("metric", "baseline", "candidate", "change", "interval", "cases")
    for found in comparison.metrics:
        row = number(found.metric, found.candidate, found.baseline, unit=found.unit)
        bounds = interval_words(found.metric, found.interval) if found.interval is not None else "–"
        change = row.change if found.change is not None else "–"
        name = f"{row.title} [{row.unit}]" if row.unit else row.title
        name += STAND_IN if found.metric in stand_ins else ""
        cells = (name, row.baseline, row.candidate, change, bounds, str(found.n))
        table.add_row(*(Text(printable(cell)) for cell in cells))
    return table


def _worst_table(comparison: Comparison, stand_ins: set[str]) -> Table:
    from rich.text import Text

    from penstock.report.cases import number

    table = _table("case", "baseline", "candidate", "change", "worse by", "metric")
    for found in comparison.worst:
        row = number(found.metric, found.candidate, found.baseline)
        # the share is of the mean over the cases: one case's own value may be next to nothing
        share = "–" if found.share is None else f"{found.share:.1%} of the mean"
        cells = (found.case, row.baseline, row.candidate, row.change or found.error or "–", share)
        name = row.title + (STAND_IN if found.metric in stand_ins else "")
        table.add_row(*(Text(printable(cell)) for cell in (*cells, name)))
    return table


def _table(first: str, *others: str) -> Table:
    from rich.table import Table

    table = Table(first, box=None, pad_edge=False)
    for title in others:
        table.add_column(title, justify="left" if title == "metric" else "right")
    return table
