"""Columns of a CSV file for the commands ``penstock score …``. The file is not trusted, and may have ten million lines.

Commas, semicolons or tabs between the fields, as the columns' names have them; quotes as RFC 4180 has them; UTF-8 with
or without a byte order mark; lines end with LF or CRLF. Empty lines are passed over, the first one too. A field that is
not what its column wants is told with its line, and nothing is computed from the rest.
"""

from __future__ import annotations

import csv
import math
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, count, islice
from pathlib import Path
from typing import BinaryIO

import numpy as np
import numpy.typing as npt

from penstock.foundation.errors import UsageError
from penstock.foundation.files import open_regular

CHUNK_LINES = 1 << 14
MOST_LINE_BYTES = 1 << 16
DELIMITERS = ",;\t"
FLAGS = {"0": 0, "1": 1, "false": 0, "true": 1, "0.0": 0, "1.0": 1}
"""How a flag may be written, in small letters."""
_UNLIKE_A_NUMBER = re.compile(r"[^0-9+\-.eE]")
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")
_SAVE = "Save it as CSV in UTF-8."

Kind = Callable[[str], float | int | str]
"""What a field must be: :func:`number`, :func:`flag` or :func:`name`."""


class BadFieldError(Exception):
    """What is wrong with a field, in words."""


@dataclass
class ScoreTable:
    """What was read: arrays of equal length, at least 1.

    Attributes:
        path: of the file.
        numbers: column → float64, finite.
        flags: column → bool.
        named: column → places in ``names``.
        names: of all columns of names together, sorted: their numbers do not depend on the order of the lines.
    """

    path: Path
    numbers: dict[str, npt.NDArray[np.float64]]
    flags: dict[str, npt.NDArray[np.bool_]]
    named: dict[str, npt.NDArray[np.intp]]
    names: tuple[str, ...]

    def error(self, row: int, what: str, todo: str = "") -> UsageError:
        """An error about a row, from 0, with its line."""
        with open_regular(self.path, where=str(self.path)) as file:
            line, _ = next(islice(_rows(self.path, file), row + 1, None), (0, []))
        return _at(self.path, line, what, todo)


def number(text: str) -> float:
    """A finite number, written with digits, point and exponent.

    Raises:
        BadFieldError: it is something else.

    Example:
        >>> number(" 1e-3 ")
        0.001
    """
    text = text.strip()
    try:
        value = math.nan if _UNLIKE_A_NUMBER.search(text) else float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise BadFieldError(f"{_quoted(text)} is not a finite number" if text else "there is no number")
    return value


def flag(text: str) -> int:
    """1 or 0.

    Raises:
        BadFieldError: it is neither, nor ``true`` or ``false``.

    Example:
        >>> flag("True"), flag("0")
        (1, 0)
    """
    value = FLAGS.get(text.strip().lower())
    if value is None:
        raise BadFieldError(f"{_quoted(text)} is neither 0 nor 1")
    return value


def name(text: str) -> str:
    """A name that is not empty.

    Raises:
        BadFieldError: it is.

    Example:
        >>> name(" Ann, Lee ")
        'Ann, Lee'
    """
    if not (stripped := text.strip()):
        raise BadFieldError("there is no name")
    return stripped


def read_columns(path: Path, wanted: Mapping[str, Kind], optional: Mapping[str, Kind]) -> ScoreTable:
    """Read the columns that a command wants; others are passed over.

    Args:
        path: of the file.
        wanted: column, in small letters, → what its fields must be; each must be there.
        optional: columns that may be there.

    Raises:
        UsageError: the file cannot be read, a column is missing or there twice, or a field is not what it must be.
    """
    with open_regular(path, where=str(path)) as file:
        rows = _rows(path, file)
        at, header = next(rows, (1, []))
        places = _places(path, at, header, wanted, optional)
        kinds = {column: kind for column, kind in {**wanted, **optional}.items() if column in places}
        index: dict[str, int] = defaultdict(count().__next__)  # a new name gets the next number
        parts: dict[str, list[npt.NDArray[np.generic]]] = {column: [] for column in kinds}
        while chunk := list(islice(rows, CHUNK_LINES)):
            for column, kind in kinds.items():
                parts[column].append(_packed(_values(path, chunk, column, places[column], kind), kind, index))
    if not all(parts.values()):
        raise UsageError("there is no line below the first", where=str(path), todo="Give a line for each of them.")
    columns = {column: np.concatenate(parts.pop(column)) for column in kinds}
    names = sorted(index)
    rank = np.empty(len(index), np.intp)
    rank[[index[each] for each in names]] = np.arange(len(index))
    return ScoreTable(
        path,
        {column: columns[column].astype(np.float64) for column, kind in kinds.items() if kind is number},
        {column: columns[column].astype(np.bool_) for column, kind in kinds.items() if kind is flag},
        {column: rank[columns[column].astype(np.intp)] for column, kind in kinds.items() if kind is name},
        tuple(names),
    )


def _at(path: Path, line: int, what: str, todo: str = "") -> UsageError:
    return UsageError(what, where=f"{path}:{line}", todo=todo)


def _rows(path: Path, file: BinaryIO) -> Iterator[tuple[int, list[str]]]:
    """Number of the last line and fields of each row; the first row is the columns' names."""
    lines = _lines(path, file)
    skipped, first = next(((at, line) for at, line in enumerate(lines) if line.strip("\r\n")), (0, ""))
    delimiter = max(DELIMITERS, key=first.count)
    reader = csv.reader(chain([first] if first else [], lines), delimiter=delimiter, strict=True)
    width = 0
    try:
        for fields in reader:
            if not fields:
                continue
            if width and len(fields) != width:
                what = f"{len(fields)} field{'' if len(fields) == 1 else 's'}, the first line has {width}"
                raise _at(
                    path, skipped + reader.line_num, what, "Give each line a field a column; put quotes around commas."
                )
            width = len(fields)
            yield skipped + reader.line_num, fields
    except csv.Error as error:
        raise _at(path, skipped + max(reader.line_num, 1), f"this is not CSV: {error}") from error


def _lines(path: Path, file: BinaryIO) -> Iterator[str]:
    at = 0
    while line := file.readline(MOST_LINE_BYTES + 1):
        at += 1
        if at == 1 and line.startswith(_UTF_16):
            raise _at(path, 1, "this is UTF-16", _SAVE)
        if len(line) > MOST_LINE_BYTES:
            raise _at(path, at, f"the line is longer than {MOST_LINE_BYTES:,} bytes", "End each row with LF.")
        try:
            text = line.decode("utf-8-sig" if at == 1 else "utf-8")
        except UnicodeDecodeError as error:
            raise _at(path, at, "this is not UTF-8", _SAVE) from error
        if "\0" in text:
            raise _at(path, at, "there is a zero byte", _SAVE)
        if "\r" in text and "\r" in text.removesuffix("\n").removesuffix("\r"):
            raise _at(path, at, "there is a CR without an LF", "End lines with LF or CRLF.")
        yield text


def _places(
    path: Path, line: int, header: Sequence[str], wanted: Iterable[str], optional: Iterable[str]
) -> dict[str, int]:
    """Column → its place."""
    found = [each.strip().lower() for each in header]
    known = (*wanted, *optional)
    if missing := [column for column in wanted if column not in found]:
        what = f"there is no column {_listed(missing)}, only {_listed(header)}" if found else "the file is empty"
        raise _at(path, line, what, f"Name the columns in the first line: {', '.join(wanted)}.")
    if twice := [column for column in known if found.count(column) > 1]:
        raise _at(path, line, f"the column {_listed(twice)} is there twice", "Leave one of them out.")
    return {column: found.index(column) for column in known if column in found}


def _values(
    path: Path, chunk: Sequence[tuple[int, list[str]]], column: str, place: int, kind: Kind
) -> Sequence[float | int | str]:
    texts = [fields[place] for _, fields in chunk]
    if (values := _AT_ONCE[kind](texts)) is not None:
        return values
    found: list[float | int | str] = []
    for (line, _), text in zip(chunk, texts, strict=True):
        try:
            found.append(kind(text))
        except BadFieldError as error:
            raise _at(path, line, f"{column}: {error}") from error
    return found


def _numbers(texts: Sequence[str]) -> list[float] | None:
    if _UNLIKE_A_NUMBER.search("".join(texts)):
        return None
    try:
        values = list(map(float, texts))
    except ValueError:
        return None
    return values if np.isfinite(values).all() else None


def _flags(texts: Sequence[str]) -> list[int] | None:
    values = [FLAGS.get(text) for text in texts]
    return None if None in values else [value for value in values if value is not None]


def _names(texts: Sequence[str]) -> list[str] | None:
    values = list(map(str.strip, texts))
    return values if all(values) else None


_AT_ONCE: Mapping[Kind, Callable[[Sequence[str]], Sequence[float | int | str] | None]] = {
    number: _numbers,
    flag: _flags,
    name: _names,
}
"""The same for many fields where all are plain; where one is not, they are looked at one by one."""


def _packed(values: Sequence[float | int | str], kind: Kind, index: dict[str, int]) -> npt.NDArray[np.generic]:
    if kind is name:
        return np.array([index[str(value)] for value in values], np.int32)
    return np.array(values, np.bool_ if kind is flag else np.float64)


def _listed(names: Sequence[str]) -> str:
    return ", ".join(f"'{each.strip()[:40]}'" for each in names[:20])


def _quoted(text: str) -> str:
    return f"'{text[:40]}'" + (" …" if len(text) > 40 else "")
