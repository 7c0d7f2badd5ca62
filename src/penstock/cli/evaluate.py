"""``penstock evaluate``: one or two models over folders of photos, without a repository or a release."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from penstock.foundation.errors import ExitCode, UsageError, printable


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
            help="The system whose answers these are, if it scales large photos; `penstock families` lists them.",
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
    was measured, 2 when an answer of a folder cannot be, 4 when a program fails on a photo.

    Example: penstock evaluate photos --truth mattes --answers new --against old --slices slices.yaml --out evaluation
    """
    from penstock.cli.evaluate_display import print_evaluation, print_json
    from penstock.local_run import requested_evaluation
    from penstock.local_run.requested_evaluation import (
        BASELINE,
        CANDIDATE,
        Answering,
        EvaluationRequest,
        read_parameters,
    )

    sides = {CANDIDATE: Answering(answers, command)}
    if (answers is None) == (not command):
        raise UsageError("give --answers or --command", where="--answers", todo="One of the two.")
    if against is not None or against_command:
        if against is not None and against_command:
            raise UsageError("give --against or --against-command", where="--against", todo="One of the two.")
        sides[BASELINE] = Answering(against, against_command)
    known = {"truth": truth, "trimap": [trimap] if trimap else [], "foreground": [foreground] if foreground else []}
    withheld = {field: paths for field, paths in known.items() if paths}
    parameters = read_parameters(param or ())
    request = EvaluationRequest(photos, withheld, sides, slices, family, preset, parameters, out)
    found = requested_evaluation.evaluate(request, _progress)
    if as_json:
        print_json(found, out)
    else:
        print_evaluation(found, out)
    if found.failed:
        raise typer.Exit(ExitCode.WORLD if any(each.program for each in found.failed) else ExitCode.USAGE)


def _progress(what: str, done: int, total: int) -> None:
    """A count for who waits at a terminal."""
    if sys.stderr.isatty():
        typer.echo(f"\r\x1b[K{printable(what)} {done} of {total}" + ("\n" if done == total else ""), err=True, nl=False)
