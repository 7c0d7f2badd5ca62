"""``penstock check``: explain what is wrong with a contract, before anything runs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from penstock.contract.check import Report


def check(
    directory: Annotated[Path, typer.Argument(help="The model's repository.", metavar="[DIR]")] = Path(),
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Check penstock.yaml, its suite and the files that they name; every fault with file, line and field.

    Example: penstock check . --json
    """
    from penstock.contract.check import check_repository
    from penstock.errors import ExitCode
    from penstock.metrics.registry import METRICS

    report = check_repository(directory, metrics={metric.name: metric.direction for metric in METRICS.values()})
    if as_json:
        typer.echo(json.dumps(_content(report), indent=2, ensure_ascii=False))
    else:
        for fault in report.faults:
            typer.echo(str(fault))
        typer.echo(_summary(report))
    raise typer.Exit(ExitCode.OK if report.ok else ExitCode.USAGE)


def _content(report: Report) -> dict[str, Any]:
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
