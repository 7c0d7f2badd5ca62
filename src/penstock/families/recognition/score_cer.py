"""``penstock score cer``: the character error rate of what was read, of a file or of a folder."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

import typer

from penstock.evaluation.matched_folders import files_by_name
from penstock.foundation.errors import ExitCode, UsageError, printable

MAX_BYTES = 256 << 10
"""Of one file: the time that an edit distance takes grows with both texts."""
WHOLE = "*"


@dataclass(frozen=True)
class TextScore:
    """One text."""

    edits: int
    characters: int
    """Of the truth, as it is compared."""
    cer: float | None
    """``None``: nothing was to be read, and something was."""


def cer(
    read: Annotated[Path, typer.Argument(metavar="READ", help="What was read, a file in UTF-8; or a folder.")],
    truth: Annotated[Path, typer.Argument(metavar="TRUTH", help="What is there to be read; or a folder.")],
    as_json: Annotated[
        bool,
        typer.Option(
            "--json",
            help="Print JSON: cer, edits, characters; of folders a line each with name, the last, '*', of all texts "
            "together.",
        ),
    ] = False,
) -> None:
    """The character error rate: edits that turn what was read into the truth, by the truth's characters.

    Both are compared after NFKC; white space counts once, and not beside Chinese or Japanese. Files of folders are
    matched by their names without suffixes; the last line is of all texts together: all edits by all characters. One
    that has no partner, or is no text, has its reason in the list, and the exit code is 2.

    Example: penstock score cer read.txt truth.txt --json

    Example: penstock score cer readings/ truths/
    """
    if read.is_dir() or truth.is_dir():
        raise typer.Exit(_folders(read, truth, as_json))
    found = score_text(_text_of(read), _text_of(truth))
    typer.echo(json.dumps(asdict(found), indent=2) if as_json else _line(found))


def score_text(read: str, truth: str) -> TextScore:
    """Edits, characters and their quotient, as :func:`penstock.metrics.recognition_text.character_error_rate` counts.

    Example:
        >>> score_text("出囗 Exit", "出口 Exit")
        TextScore(edits=1, characters=6, cer=0.16666666666666666)
        >>> score_text("x", "")
        TextScore(edits=1, characters=0, cer=None)

    Raises:
        UsageError: one of them would take long to be put in order.
    """
    from penstock.metrics.recognition_text import MOST_MARKS, edit_distance, has_too_many_marks, plain

    for name, text in (("reading", read), ("truth", truth)):
        if has_too_many_marks(text):
            raise UsageError(f"the {name} has over {MOST_MARKS} combining marks in a row, which is no writing")
    read, truth = plain(read), plain(truth)
    return _score(edit_distance(read, truth), len(truth))


def _score(edits: int, characters: int) -> TextScore:
    rate = edits / characters if characters else None if edits else 0.0
    return TextScore(edits, characters, rate)


def _folders(read: Path, truth: Path, as_json: bool) -> ExitCode:
    readings, truths = _texts_in(read), _texts_in(truth)
    code, found = ExitCode.OK, []
    for name in sorted(readings.keys() | truths.keys()):
        try:
            if name not in readings or name not in truths:
                raise UsageError(f"there is no {'truth' if name in readings else 'reading'} of this name")
            score = score_text(_text_of(readings[name]), _text_of(truths[name]))
        except UsageError as error:
            code = ExitCode.USAGE
            _say(name, {"error": error.what}, f"-  {printable(error.what)}", as_json)
            continue
        found.append(score)
        _say(name, asdict(score), _line(score), as_json)
    whole = _score(sum(score.edits for score in found), sum(score.characters for score in found))
    _say(WHOLE, {"texts": len(found), **asdict(whole)}, _line(whole), as_json)
    return code


def _texts_in(folder: Path) -> dict[str, Path]:
    return files_by_name(folder, passed_over=lambda name: name.startswith("."), held="text")


def _say(name: str, content: dict[str, object], words: str, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps({"name": name, **content}, ensure_ascii=False))
    else:
        typer.echo(f"{words}  {'all together' if name == WHOLE else printable(name)}")


def _line(score: TextScore) -> str:
    rate = "-" if score.cer is None else f"{score.cer:.4f}"
    return f"{rate:>7}  {score.edits} of {score.characters}"


def _text_of(path: Path) -> str:
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise UsageError(f"the text cannot be read: {error.strerror}", where=str(path)) from None
    if len(content) > MAX_BYTES:
        raise UsageError(f"the text is larger than {MAX_BYTES >> 10} KiB", where=str(path))
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UsageError(
            f"this is no text in UTF-8 (byte {error.start})", where=str(path), todo="Save it as UTF-8."
        ) from None
