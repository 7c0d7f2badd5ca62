"""``penstock score matte``: how well a matte fits the true one, of a file or of a folder."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from penstock.foundation.errors import ExitCode, UsageError, printable

if TYPE_CHECKING:
    from penstock.evaluation.measurer import Value
    from penstock.families.matting.matte_files import MattePair

SHOWN = ("mae", "sad", "grad", "conn", "iou", "hd95", "uea", "spurious", "fringe")
"""Columns of a folder's table; the means below it have every value."""
WHOLE = "*"
"""Name of the line of the means."""
Scored = tuple[str, "dict[str, Value] | str"]
"""A pair's name, and its values or the reason why it has none."""


def matte(
    prediction: Annotated[
        Path,
        typer.Argument(metavar="PRED", help="A matte, or a cut-out with alpha (PNG), or a clip of them; or a folder."),
    ],
    truth: Annotated[
        Path, typer.Argument(metavar="GT", help="The true matte (PNG: grey, or with alpha) or clip; or a folder.")
    ],
    trimap: Annotated[
        Path | None,
        typer.Option(
            metavar="T",
            help="A trimap, or a folder of them: mae, mse, sad, grad and conn look only where it is 128.",
            show_default=False,
        ),
    ] = None,
    foreground: Annotated[
        Path | None,
        typer.Option(
            metavar="F", help="The subject's true colours, or a folder of them: for fringe.", show_default=False
        ),
    ] = None,
    as_json: Annotated[
        bool,
        typer.Option(
            "--json",
            help="Print JSON: mae, mse, sad, grad, conn, iou, boundary_iou, hd95, hd100, uea, spurious, s_measure, wf, "
            "e_measure, mba, hce, fringe, of clips dtssd; of folders a line each with name, the last, '*', with the "
            "means. A value that there is not is null, and reasons says why.",
        ),
    ] = False,
) -> None:
    """How well an alpha matte fits the true one.

    Files of folders are matched by their names without suffixes; one that has no partner, or cannot be scored, has its
    reason in the list, and the exit code is 2. Sizes must agree. docs/metrics.md says what each value is.

    Example: penstock score matte answer.png truth.png --json

    Example: penstock score matte answer.webm truth.mkv

    Example: penstock score matte answers/ truths/ --foreground colours/
    """
    from penstock.families.matting.matte_files import MattePair, pairs_of, score_files

    known = {"truth": truth, "trimap": trimap, "foreground": foreground}
    if prediction.is_dir():
        raise typer.Exit(_list(_score_all(pairs_of(prediction, known)), as_json))
    for path in known.values():
        if path is not None and path.is_dir():
            what = "this is a folder, and the answer is a file"
            raise UsageError(what, where=str(path), todo="Give files throughout, or folders throughout.")
    files = {name: path for name, path in known.items() if path is not None}
    values = score_files(MattePair(prediction.stem, prediction, files))
    if as_json:
        typer.echo(json.dumps(_content(values), indent=2, allow_nan=False))
        return
    _echo_values(values)


def _score_all(pairs: Sequence[MattePair]) -> Iterator[Scored]:
    """Every pair as it is scored, on as many cores as there are, up to four; in the order of the pairs."""
    from concurrent.futures import ThreadPoolExecutor

    from penstock.evaluation.case_workers import usable_cores
    from penstock.families.matting.matte_files import score_files

    def scored(pair: MattePair) -> dict[str, Value] | str:
        try:
            return score_files(pair)
        except UsageError as error:
            return error.what

    with ThreadPoolExecutor(min(len(pairs), usable_cores())) as pool:
        for done, (pair, found) in enumerate(zip(pairs, pool.map(scored, pairs), strict=True), 1):
            _progress(done, len(pairs))
            yield pair.name, found


def _progress(done: int, total: int) -> None:
    """A count for who waits: where the list itself goes into a file or another program."""
    if sys.stderr.isatty() and not sys.stdout.isatty():
        typer.echo(f"\r{done} of {total}" + ("\n" if done == total else ""), err=True, nl=False)


def _list(scored: Iterator[Scored], as_json: bool) -> ExitCode:
    """Print a line a pair as it comes, then the means; returns the exit code."""
    code, found = ExitCode.OK, []
    if not as_json:
        typer.echo(" ".join(f"{name:>9}" for name in SHOWN) + "  name")
    for name, values in scored:
        if isinstance(values, str):
            code = ExitCode.USAGE
        else:
            found.append(values)
        typer.echo(_json_line(name, values) if as_json else _row(name, values))
    means = _means(found)
    if as_json:
        typer.echo(json.dumps({"name": WHOLE, "pairs": len(found), **_content(means)}, allow_nan=False))
    else:
        typer.echo(f"\nmeans of {len(found)} pair{'' if len(found) == 1 else 's'}")
        _echo_values(means)
    return code


def _means(found: Sequence[Mapping[str, Value]]) -> dict[str, Value]:
    """The mean of each value over the pairs that can have it; none where one of them has none, for it would flatter."""
    means: dict[str, Value] = {}
    for name in dict.fromkeys(name for each in found for name in each):
        having = [each[name] for each in found if name in each]
        values = [value for value in having if not isinstance(value, str)]
        gone = len(having) - len(values)
        means[name] = f"{gone} of {len(having)} pairs have no value" if gone else math.fsum(values) / len(values)
    return means


def _content(values: Mapping[str, Value]) -> dict[str, Any]:
    reasons = {name: value for name, value in values.items() if isinstance(value, str)}
    numbers = {name: None if isinstance(value, str) else value for name, value in values.items()}
    return numbers | ({"reasons": reasons} if reasons else {})


def _json_line(name: str, values: dict[str, Value] | str) -> str:
    content = {"error": values} if isinstance(values, str) else _content(values)
    return json.dumps({"name": name, **content}, ensure_ascii=False, allow_nan=False)


def _row(name: str, values: dict[str, Value] | str) -> str:
    if isinstance(values, str):
        return " ".join(f"{'-':>9}" for _ in SHOWN) + f"  {printable(name)}: {printable(values)}"
    return " ".join(f"{_text(values.get(key, '')):>9}" for key in SHOWN) + f"  {printable(name)}"


def _echo_values(values: Mapping[str, Value]) -> None:
    for name, value in values.items():
        typer.echo(f"{name:<13}" + (f"-  ({printable(value)})" if isinstance(value, str) else _text(value)))


def _text(value: Value) -> str:
    return "-" if isinstance(value, str) else f"{value:.5g}"
