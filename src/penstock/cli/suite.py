"""``penstock suite lint`` and ``penstock suite power``: what a suite is worth, before it judges."""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from penstock.contract.check import Report
    from penstock.contract.policy import Margin
    from penstock.gating.suite_size import MarginCheck
    from penstock.ratings.power import RatingPower
    from penstock.suites.lint import CheckedSuite

Repository = Annotated[Path, typer.Argument(help="The model's repository.", metavar="[DIR]")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def lint(
    directory: Repository = Path(),
    training: Annotated[
        list[Path] | None,
        typer.Option(
            help="What the model was trained on: a folder of files, or a list as sha256sum prints it. May be repeated.",
            metavar="PATH",
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Find cases that repeat each other, inputs that the model was trained on, slices out of balance, files without a
    licence.

    Exits 2 if an input is in the training data; all else is a warning.

    Example: penstock suite lint . --training ../training/images --training ../training/sums.txt
    """
    from penstock.foundation.errors import ExitCode
    from penstock.suites.fingerprints import fingerprints
    from penstock.suites.lint import lint as lint_suite
    from penstock.suites.training_files import training_files

    _, checked = _checked(directory)
    files = checked.files()
    by_path = fingerprints(files.values(), _progress)
    known = {name: by_path[path] for name, path in files.items()}
    found = lint_suite(checked, known, training_files(training or (), _progress))
    serious = sum(not fault.warning for fault in found)
    if as_json:
        content = {"ok": not serious, "files": len(files), "faults": [dataclasses.asdict(fault) for fault in found]}
        typer.echo(json.dumps(content, indent=2, ensure_ascii=False))
    else:
        for fault in found:
            typer.echo(str(fault))
        looked = f"{_count(len(checked.suite.cases), 'case')}, {_count(len(files), 'file')}"
        typer.echo(f"{looked}: {_count(serious, 'fault')}, {_count(len(found) - serious, 'warning')}")
    raise typer.Exit(ExitCode.USAGE if serious else ExitCode.OK)


def add(
    files: Annotated[list[Path], typer.Argument(help="One case is made of each.", metavar="FILE...")],
    directory: Annotated[Path, typer.Option("--repository", help="The model's repository.", metavar="DIR")] = Path(),
    put_in: Annotated[
        str, typer.Option("--as", help="The input that the file is. Left out: the one that all cases have.")
    ] = "",
    beside: Annotated[
        list[str] | None,
        typer.Option("--with", help="Another input; {stem} is the file's name without suffix.", metavar="INPUT=FILE"),
    ] = None,
    fields: Annotated[
        list[str] | None,
        typer.Option("--field", help="A file that a field of the family's names, such as truth.", metavar="FIELD=FILE"),
    ] = None,
    parameters: Annotated[
        list[str] | None, typer.Option("--parameter", help="Of the call.", metavar="NAME=VALUE")
    ] = None,
    slices: Annotated[list[str] | None, typer.Option("--slice", help="A group that they belong to.")] = None,
    licence: Annotated[str, typer.Option(help="Of the new files, as SPDX writes it: CC-BY-4.0.")] = "",
    origin: Annotated[str, typer.Option(help="Whose they are, or an address.")] = "",
    as_json: AsJson = False,
) -> None:
    """Make cases of files: they are copied into the suite, and suite.yaml names them, with their licence.

    What stands in suite.yaml stays as it is. All cases are added, or none.

    Example: penstock suite add hair-*.jpg --field truth=mattes/{stem}.png --slice hair --licence CC0-1.0 --origin Ann
    """
    from penstock.foundation.errors import UsageError
    from penstock.suites.added_cases import NewCases, add_cases

    if bool(licence) != bool(origin):
        raise UsageError("--licence and --origin go together", where="penstock suite add")
    _, checked = _checked(directory)
    new = NewCases(
        files,
        put_in or _input_of_all(checked, [one.partition("=")[0] for one in beside or ()]),
        _pairs(beside, "--with"),
        _pairs(fields, "--field"),
        {name: _scalar(value) for name, value in _pairs(parameters, "--parameter").items()},
        slices or (),
        {"licence": licence, "origin": origin} if licence else None,
    )
    names = add_cases(checked, new)
    if as_json:
        typer.echo(json.dumps({"added": names}, indent=2))
        return
    typer.echo(f"{_count(len(names), 'case')} added: {', '.join(names)}")


def _input_of_all(checked: CheckedSuite, given: list[str]) -> str:
    """The one input that all cases have, and that no option names."""
    from penstock.foundation.errors import UsageError

    inputs = set.intersection(*(set(case.inputs) for case in checked.suite.cases)) - set(given)
    if len(inputs) == 1:
        return inputs.pop()
    names = ", ".join(sorted({name for case in checked.suite.cases for name in case.inputs}))
    raise UsageError("which input the files are is not clear", where="--as", todo=f"Name one of: {names}.")


def _pairs(given: list[str] | None, option: str) -> dict[str, str]:
    from penstock.foundation.errors import UsageError

    found = {}
    for text in given or ():
        name, sign, value = text.partition("=")
        if not name or not sign:
            raise UsageError(f"'{text}' is not NAME=VALUE", where=option)
        found[name] = value
    return found


def _scalar(text: str) -> str | int | float | bool:
    """As YAML reads it."""
    from penstock.foundation.yaml_text import parse_yaml

    value = parse_yaml(f"value: {text}".encode(), name="--parameter").value["value"]
    return value if isinstance(value, (str, int, float, bool)) else text


def power(
    directory: Repository = Path(),
    store: Annotated[
        str, typer.Option(help="Where releases are kept: what is known of the metrics comes from there.")
    ] = "",
    baseline: Annotated[
        list[Path] | None,
        typer.Option(help="The same from a bundle or a measurements.jsonl; several, the oldest first.", metavar="PATH"),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Say of each rule with a margin what the suite can see: the smallest margin that it settles, and how many cases
    the rule's own takes; of a rule about people's ratings, how many ratings and raters.

    A margin is settled if an unchanged model passes, and one that is worse by twice the margin is stopped, each with
    the probability of the policy's level. The policy's calibration is known without an option. Ratings are made up, and
    put to the rule itself (docs/ratings.md).

    Example: penstock suite power . --store runs/store
    """
    from penstock.cli.check import known_of, margin_as_json
    from penstock.cli.rating_power_display import RATING_WORDS, power_as_json, rating_rows
    from penstock.gating.suite_words import judge_suite

    report, _ = _checked(directory)
    margins = judge_suite(report, directory, known_of(report.contract, store, baseline or []))
    rated = _rating_power(report)
    if as_json:
        content = [*(margin_as_json(found) for found in margins), *(power_as_json(found) for found in rated)]
        typer.echo(json.dumps(content, indent=2, allow_nan=False))
        return
    if not margins and not rated:
        typer.echo("no rule of the policy has a margin, or asks for people's ratings")
        return
    rows_of_margins = [_row(found, found.rule.margin) for found in margins if found.rule.margin is not None]
    if rows_of_margins:
        _table([("rule", "cases", "margin", "smallest that it settles", "takes"), *rows_of_margins])
    if rated:
        if rows_of_margins:
            typer.echo("")
        _table(rating_rows(rated))
        typer.echo(RATING_WORDS)


def _rating_power(report: Report) -> list[RatingPower]:
    """Of rules about people's ratings, which take seconds; of a policy without any, nothing is loaded."""
    if report.contract is None or report.suite is None:
        return []
    if all(rule.ratings_wanted is None for rule in report.contract.policy.rules):
        return []
    from penstock.ratings.power import rating_power

    return rating_power(report.contract.policy, report.suite)


def _table(rows: Sequence[Sequence[str]]) -> None:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        typer.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def _checked(directory: Path) -> tuple[Report, CheckedSuite]:
    """Raises UsageError: the contract or the suite has a fault, which ``penstock check`` explains."""
    from penstock.contract.check import check_repository
    from penstock.contract.models import CONTRACT_FILE
    from penstock.families.registry import directions
    from penstock.foundation.errors import UsageError
    from penstock.suites.lint import CheckedSuite

    report = check_repository(directory, metrics=directions())
    if report.contract is None or report.suite is None or report.suite_document is None:
        faults = [fault for fault in report.faults if not fault.warning]
        of_suite = [fault for fault in faults if report.contract is not None and fault.file != CONTRACT_FILE]
        first = (of_suite or faults)[0]  # what else is wrong, such as weights that are not there, is no matter here
        raise UsageError(first.what, where=f"{first.file}:{first.line}", todo=f"Run `penstock check {directory}`.")
    return report, CheckedSuite(directory, report.contract, report.suite, report.suite_document)


def _row(found: MarginCheck, margin: Margin) -> tuple[str, str, str, str, str]:
    from penstock.gating.wording import as_written, subject_of

    rule, subject = found.rule, subject_of(found.rule)
    name = rule.metric if rule.slice is None else f"{rule.metric} of {rule.slice}"
    own = subject.amounts(margin.amount)[0] if margin.in_unit else as_written(margin)
    if found.spread is None:
        return name, str(found.cases), own, "not known", "not known"
    smallest = "none" if found.smallest_margin is None else subject.amounts(found.smallest_margin)[0]
    if found.smallest_margin is not None and found.base and margin.relative:
        smallest += f" ({100 * found.smallest_margin / abs(found.base):.2g} %)"
    most = "at most " if found.spread.is_bound else ""
    takes = str(found.cases) if found.answer == "settled" else "not known"
    if found.answer != "settled" and found.needed is not None:
        takes = f"{most}{found.needed}"
    return name, str(found.cases), own, f"{most}{smallest}", takes if found.answer != "settled" else "enough"


def _progress(done: int, of: int) -> None:
    if sys.stderr.isatty():
        typer.echo(f"looked at {done} of {of} files", err=True)


def _count(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}"
