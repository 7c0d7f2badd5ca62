"""``penstock gate``: measurements and rules to a verdict."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from penstock.foundation.errors import one_line, printable
from penstock.local_run.run_folder import OUT

if TYPE_CHECKING:
    from rich.table import Table

    from penstock.bundle.verdict_record import RuleResult, Verdict

STYLES = {"pass": "green", "bounds-only": "green", "not-compared": "dim", "fail": "bold red", "inconclusive": "yellow"}
PLAIN_WIDTH = 140


def gate(
    candidate: Annotated[
        str, typer.Option(help="A run's name, a version, a tag, a bundle's directory, or a measurements.jsonl.")
    ],
    policy: Annotated[Path, typer.Option(help="A policy, or a penstock.yaml that has one.")],
    baseline: Annotated[str | None, typer.Option(help="The same of the released model, if there is one.")] = None,
    policy_floor: Annotated[
        Path | None, typer.Option(help="The platform's rules, judged as well: no waiver reaches them.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the verdict as JSON.")] = False,
    out: Annotated[Path | None, typer.Option(help="Also write the verdict to this file.")] = None,
    runs: Annotated[Path, typer.Option(help="Where runs lie that are named.")] = OUT,
    store: Annotated[str, typer.Option(help="Where releases are kept that are named; RUNS/store by default.")] = "",
    junit: Annotated[Path | None, typer.Option(help="Also write JUnit XML to this file, for a CI server.")] = None,
) -> None:
    """Compare a candidate with the released model. Exit 0: pass, 1: fail, 3: inconclusive.

    Example: penstock gate --candidate new.jsonl --baseline old.jsonl --policy policy.yaml --json

    Example: penstock gate --candidate 1.1.0 --baseline 1.0.0 --policy penstock.yaml
    """
    from penstock.bundle.directory import write_model
    from penstock.gating.comparable import notes
    from penstock.gating.floor import read_floor
    from penstock.gating.judge import judge
    from penstock.gating.measurements import read_source
    from penstock.local_run.policy_file import policy_at
    from penstock.local_run.run_names import find_bundle

    rules = policy_at(policy)
    ours = read_source(find_bundle(candidate, out=runs, store=store))
    theirs = read_source(find_bundle(baseline, out=runs, store=store)) if baseline is not None else None
    folder = policy if policy.is_dir() else policy.parent
    verdict = judge(ours, theirs, rules, folder, floor=read_floor(policy_floor) if policy_floor is not None else None)
    if out is not None:
        write_model(out, verdict)
    if junit is not None:
        from penstock.report.junit import write_junit

        write_junit(verdict, junit)
    if as_json:
        typer.echo(verdict.model_dump_json(indent=2))
    else:
        print_verdict(verdict)
        for note in notes(ours.run, theirs.run if theirs is not None else None):
            typer.echo(f"note: {printable(note)}")
    raise typer.Exit(exit_code(verdict))


def exit_code(verdict: Verdict) -> int:
    """0 for ``pass``, 1 for ``fail``, 3 for ``inconclusive``."""
    from penstock.foundation.errors import ExitCode

    return {"pass": ExitCode.OK, "fail": ExitCode.REJECTED, "inconclusive": ExitCode.INCONCLUSIVE}[verdict.verdict]


def print_verdict(verdict: Verdict) -> None:
    """The table, the reason of every rule, and the verdict; colour on a terminal only."""
    from rich.console import Console
    from rich.text import Text

    from penstock.gating.wording import tally
    from penstock.report.summary import rule_name, waiver_words

    console = Console(width=None if sys.stdout.isatty() else PLAIN_WIDTH, highlight=False)
    console.print(verdict_table(verdict))
    for result in verdict.rules:
        console.print(Text(f"{_mark(result)} {one_line(rule_name(result))}: {one_line(result.reason)}"), soft_wrap=True)
        if result.waiver is not None:
            console.print(Text(f"  {printable(waiver_words(result.waiver))}"), soft_wrap=True)
    against = f"against the baseline {verdict.baseline}" if verdict.baseline is not None else "as a first release"
    counted = f": {tally(verdict.rules)}" if verdict.verdict == "pass" else ""
    end = Text(verdict.verdict, style=STYLES[verdict.verdict])
    end.append(printable(f": {verdict.candidate} {against}{counted}"), style="default not bold")
    console.print(end, soft_wrap=True)


def verdict_table(verdict: Verdict) -> Table:
    """Rule, baseline, candidate, change, limit, verdict: one row a rule."""
    from rich.table import Table
    from rich.text import Text

    from penstock.report.summary import rule_name, rule_numbers, rule_state, rule_verdict

    table = Table("rule", box=None, pad_edge=False)
    for title in ("baseline", "candidate", "change"):
        table.add_column(title, justify="right")
    table.add_column("limit")
    table.add_column("verdict")
    for rule in verdict.rules:
        word = Text(rule_verdict(rule), style=STYLES.get(rule_state(rule), "yellow"))
        cells = [printable(rule_name(rule)), *rule_numbers(rule), printable(rule.limit)]
        table.add_row(*(Text(cell) for cell in cells), word)
    return table


def _mark(result: RuleResult) -> str:
    """A rule that fell and blocks nothing has a mark of its own."""
    if result.verdict == "pass":
        return "–" if result.not_compared == "rule" else "✓"
    return "!" if not result.blocks else "✗" if result.verdict == "fail" else "?"
