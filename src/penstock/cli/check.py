"""``penstock check``: explain what is wrong with a contract, before anything runs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from penstock.foundation.errors import UsageError

if TYPE_CHECKING:
    from penstock.contract.check import Report
    from penstock.contract.models import Contract
    from penstock.gating.known import Known
from penstock.gating.suite_size import MarginCheck


def check(
    directory: Annotated[Path, typer.Argument(help="The model's repository.", metavar="[DIR]")] = Path(),
    store: Annotated[
        str,
        typer.Option(
            help="Where releases are kept: say whether the suite can settle the policy's margins, as far as "
            "the current release and the runs that were compared tell."
        ),
    ] = "",
    baseline: Annotated[
        list[Path] | None,
        typer.Option(
            help="The same from a bundle or a measurements.jsonl. Given again, the oldest first, each is a change of "
            "the one before.",
            metavar="PATH",
        ),
    ] = None,
    targets: Annotated[
        Path | None,
        typer.Option(
            help="The platform's targets.yaml: say whether it has the contract's target, open to this model. Nothing "
            "but the file is read.",
            metavar="FILE",
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Check penstock.yaml, its suite and the files that they name; every fault with file, line and field.

    Margins that the suite cannot settle are warnings: what is known of them comes from the policy's calibration, and
    from --store and --baseline.

    Example: penstock check . --json

    Example: penstock check . --store runs/store

    Example: penstock check . --targets targets.yaml
    """
    from penstock.contract.check import check_repository
    from penstock.families.registry import directions
    from penstock.foundation.errors import ExitCode
    from penstock.gating.suite_words import judge_suite

    report = check_repository(directory, metrics=directions())
    if targets is not None:
        _check_target(report, targets)
    known = known_of(report.contract, store, baseline or [])
    margins = judge_suite(report, directory, known)
    if as_json:
        typer.echo(json.dumps(_content(report, margins), indent=2, ensure_ascii=False, allow_nan=False))
    else:
        for fault in report.faults:
            typer.echo(str(fault))
        if known.anything and margins:
            settled = sum(margin.answer == "settled" for margin in margins)
            typer.echo(f"the suite is known to settle {settled} of {_count(len(margins), 'margin')}")
        typer.echo(_summary(report))
    raise typer.Exit(ExitCode.OK if report.ok else ExitCode.USAGE)


def _check_target(report: Report, targets: Path) -> None:
    from penstock.targets.target_faults import target_faults

    if report.contract is not None and report.document is not None:
        report.faults += target_faults(report.contract, report.document, targets)
        report.sort()


def known_of(contract: Contract | None, store: str, baselines: list[Path]) -> Known:
    """What was measured of the model before.

    Raises:
        UsageError: both options are given, or a path cannot be read, or two cannot be compared.
        WorldError: the store cannot be read.
    """
    from penstock.gating.known import Known

    if store and baselines:
        raise UsageError("--store and --baseline are two sources", where="penstock check", todo="Leave one out.")
    if store and contract is not None:
        return _from_store(contract.name, store)
    return _from_files(baselines) if baselines else Known()


def _from_store(model: str, store: str) -> Known:
    from penstock.gating.known import Known
    from penstock.gating.measurements import Table
    from penstock.releases.earlier_comparisons import earlier_comparisons
    from penstock.store.open import open_store

    if "://" not in store and not Path(store).is_dir():
        raise UsageError("there is no such directory", where=f"--store {store}", todo="Name the store of a release.")
    earlier = earlier_comparisons(open_store(store), model)
    if earlier.released is None:
        typer.echo(f"note: '{model}' has no release in {store} yet", err=True)
        return Known()
    pairs = [(Table("baseline", before), Table("candidate", after)) for before, after in earlier.pairs]
    return Known(Table("baseline", earlier.released), pairs)


def _from_files(paths: list[Path]) -> Known:
    from itertools import pairwise

    from penstock.gating.comparable import check_comparable
    from penstock.gating.known import Known
    from penstock.gating.measurements import Table, read_source

    sources = [read_source(path) for path in paths]
    for before, after in pairwise(sources):
        check_comparable(after.run, before.run)
    tables = [Table(source.name, source.measurements) for source in sources]
    return Known(tables[-1], list(pairwise(tables)))


def _content(report: Report, margins: list[MarginCheck]) -> dict[str, Any]:
    faults = [
        {
            "file": fault.file,
            "line": fault.line,
            "column": fault.column,
            "field": fault.field,
            "what": fault.what,
            "todo": fault.todo,
            "severity": "warning" if fault.warning else "fault",
        }
        for fault in report.faults
    ]
    return {
        "ok": report.ok,
        "name": report.contract.name if report.contract else None,
        "family": report.contract.family if report.contract else None,
        "cases": len(report.suite.cases) if report.suite else None,
        "rules": len(report.contract.policy.rules) if report.contract else None,
        "faults": faults,
        "margins": [margin_as_json(found) for found in margins],
    }


def margin_as_json(found: MarginCheck) -> dict[str, Any]:
    return {
        "rule": found.place,
        "metric": found.rule.metric,
        "slice": found.rule.slice,
        "severity": found.rule.severity,
        "cases": found.cases,
        "answer": found.answer,
        "basis": found.spread.basis if found.spread is not None else None,
        "seen": found.spread.seen if found.spread is not None else None,
        "margin": found.margin,
        "error": found.error,
        "smallest_margin": found.smallest_margin,
        "needed": found.needed,
    }


def _summary(report: Report) -> str:
    serious = sum(not fault.warning for fault in report.faults)
    warnings = len(report.faults) - serious
    also = f" and {_count(warnings, 'warning')}" if warnings else ""
    if serious or report.contract is None or report.suite is None:
        return f"{_count(serious, 'fault')}{also}"
    contract, suite = report.contract, report.suite
    parts = (
        _count(len(suite.cases), "case"),
        _count(len(contract.weights), "file") + " of weights",
        _count(len(contract.policy.rules), "rule"),
    )
    return f"ok: {contract.name} ({contract.family}): {', '.join(parts)}{also}"


def _count(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}"
