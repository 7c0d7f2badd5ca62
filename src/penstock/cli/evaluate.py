"""``penstock evaluate``: one or two models over folders of photos, without a repository or a release."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from penstock.foundation.errors import ExitCode, UsageError, printable

if TYPE_CHECKING:
    from penstock.local_run.evaluation_sides import Answering

MAX_TIMEOUT_S = 86_400.0


def evaluate(
    photos: Annotated[Path, typer.Argument(metavar="PHOTOS", help="The folder of photos.")],
    truth: Annotated[
        list[Path],
        typer.Option(
            metavar="DIR",
            help="The folder of true mattes, named as the photos; once for each annotator: values are means over them.",
        ),
    ],
    answers: Annotated[
        Path | None, typer.Option(metavar="DIR", help="A folder of answers.", show_default=False)
    ] = None,
    command: Annotated[
        str,
        typer.Option(
            metavar="LINE",
            help="In place of --answers: the program that makes one, started here, confined, once a photo: "
            "'python run.py {image} {output}'.",
            show_default=False,
        ),
    ] = "",
    against: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Answers to compare with.", show_default=False)
    ] = None,
    against_command: Annotated[
        str,
        typer.Option(metavar="LINE", help="In place of --against: the program to compare with.", show_default=False),
    ] = "",
    url: Annotated[
        str,
        typer.Option(
            metavar="URL",
            help="In place of --answers: a service that runs already. It gets each photo as --preset says, by default "
            "as the form field 'image'.",
            show_default=False,
        ),
    ] = "",
    against_url: Annotated[
        str,
        typer.Option(metavar="URL", help="In place of --against: the service to compare with.", show_default=False),
    ] = "",
    contract: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="In place of --answers: a model's directory with its penstock.yaml. It is started, called and "
            "confined as in a release without an image.",
            show_default=False,
        ),
    ] = None,
    against_contract: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", help="In place of --against: the model's directory to compare with.", show_default=False
        ),
    ] = None,
    concurrency: Annotated[
        int,
        typer.Option(metavar="N", min=1, max=32, help="Photos that a service gets at a time."),
    ] = 1,
    timeout: Annotated[
        float | None,
        typer.Option(metavar="SECONDS", help="For one photo; 600 by default.", show_default=False),
    ] = None,
    trimap: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Trimaps: some metrics look only where one is 128.", show_default=False),
    ] = None,
    foreground: Annotated[
        Path | None, typer.Option(metavar="DIR", help="The subjects' true colours.", show_default=False)
    ] = None,
    slices: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="YAML: which photos are in which slice, 'hair: [anna, bob]'.", show_default=False
        ),
    ] = None,
    family: Annotated[
        str,
        typer.Option(help="The family of the models; by default the one that these folders fit.", show_default=False),
    ] = "",
    preset: Annotated[
        str,
        typer.Option(
            help="The system whose answers these are, if it scales large photos, and as which a service is called; "
            "`penstock families` lists them.",
            show_default=False,
        ),
    ] = "",
    param: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=VALUE",
            help="A parameter of the answers: answer_is=matte where they are grey mattes without colours.",
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Keep the page, index.html, and the bundles in this new directory; without it there is but the table.",
            show_default=False,
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Measure answers to photos whose true mattes are known, and compare two models: a table, and a page.

    Files of the folders are matched by their names without suffixes. Nothing is judged or published. Exit 0 when all
    was measured, 2 when an answer of a folder cannot be, 4 when a program, a service or a model fails on a photo.

    Example: penstock evaluate photos --truth mattes --answers new --against old --slices slices.yaml --out evaluation
    """
    from penstock.cli.evaluate_display import print_evaluation, print_json
    from penstock.local_run import requested_evaluation
    from penstock.local_run.evaluation_sides import BASELINE, CANDIDATE, Calling
    from penstock.local_run.requested_evaluation import EvaluationRequest, read_parameters

    given = (answers, command, url, contract)
    sides = {CANDIDATE: _side(*given, "--answers, --command, --url or --contract")}
    others = (against, against_command, against_url, against_contract)
    if any(others):
        sides[BASELINE] = _side(*others, "--against, --against-command, --against-url or --against-contract")
    known = {"truth": truth, "trimap": [trimap] if trimap else [], "foreground": [foreground] if foreground else []}
    withheld = {field: paths for field, paths in known.items() if paths}
    if timeout is not None and not 0 < timeout <= MAX_TIMEOUT_S:
        raise UsageError(f"this is no time for one photo: {timeout:g} s", where="--timeout", todo="Up to a day.")
    calling = Calling(preset, read_parameters(param or ()), concurrency, timeout)
    request = EvaluationRequest(photos, withheld, sides, slices, family, calling, out)
    found = requested_evaluation.evaluate(request, _progress)
    if as_json:
        print_json(found, out)
    else:
        print_evaluation(found, out)
    if found.failed:
        raise typer.Exit(ExitCode.WORLD if any(each.program for each in found.failed) else ExitCode.USAGE)


def _side(folder: Path | None, command: str, url: str, contract: Path | None, options: str) -> Answering:
    """Where the answers of a side come from: exactly one of the four."""
    from penstock.local_run.evaluation_sides import Answering

    if sum(map(bool, (folder, command, url, contract))) != 1:
        raise UsageError(f"give {options}", where=options.split(",")[0], todo="One of them.")
    return Answering(folder, command, url, contract)


def _progress(what: str, done: int, total: int) -> None:
    """A count for who waits at a terminal."""
    if sys.stderr.isatty():
        typer.echo(f"\r\x1b[K{printable(what)} {done} of {total}" + ("\n" if done == total else ""), err=True, nl=False)
