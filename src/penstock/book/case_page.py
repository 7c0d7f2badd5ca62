"""One case of a run: its values beside those of what it was compared with, and what came back, at a moment."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar
from urllib.parse import quote

from pydantic import BaseModel, ValidationError

from penstock.book.drawn_page import ListPage, list_page
from penstock.book.evidence import kind_of
from penstock.book.shelf import Shelf
from penstock.bundle.models import Invocation, Measurement
from penstock.families.registry import in_order
from penstock.foundation.errors import UsageError
from penstock.report.cases import Number, number
from penstock.store.store import DamagedError, NotStoredError

MAX_MOMENT_S = 24 * 3600.0
MAX_CASE_CHARACTERS = 300
MANY_CASES = 1 << 31
Line = TypeVar("Line", Measurement, Invocation)


@dataclass(frozen=True)
class CaseFile:
    """What came back for a case, on one side."""

    side: str
    """``this run`` or ``compared with``."""
    run_id: str
    name: str
    """In the bundle of that run."""
    kind: str
    """See :func:`penstock.book.evidence.kind_of`."""


@dataclass(frozen=True)
class CaseView:
    """One case."""

    name: str
    numbers: list[Number]
    files: list[CaseFile]
    status: str
    error: str


def moment(text: str) -> float | None:
    """Seconds into a video, from an address; ``None``: none is named.

    Raises:
        UsageError: it is not one.
    """
    if not text:
        return None
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0 <= seconds <= MAX_MOMENT_S:
        raise UsageError("this is not a moment of a video", where=f"t={text[:40]}", todo="Give seconds, as in t=2.4.")
    return seconds


def fragment(seconds: float | None) -> str:
    """What a video's address ends with so that it opens at a moment (W3C Media Fragments)."""
    return "" if seconds is None else f"#t={quote(f'{seconds:g}')}"


def case_view(shelf: Shelf, model: str, run_id: str, case: str) -> CaseView:
    """Read it.

    Raises:
        NotStoredError: there is no such run, or no such case in it.
        UsageError: a record cannot be read.
    """
    if not case or len(case) > MAX_CASE_CHARACTERS:
        raise UsageError("this is not a case's name", where=f"name={case[:40]}")
    other = _baseline(shelf, model, run_id)
    here = _measured(shelf, model, run_id, "measurements.jsonl", case)
    files = _files(shelf, model, run_id, case)
    calls = _lines(shelf, model, run_id, "invocations.jsonl", case, Invocation)
    call = next((call for call in calls if call.case == case), None)
    if not here and call is None:
        raise NotStoredError("the run has no such case", where=f"{model}/{run_id}: {case}", todo="Check its name.")
    there: dict[str, Measurement] = {}
    # a baseline that ran again lies in the run's own bundle, a stored one in its own
    if beside := [name for name in shelf.manifest(model, run_id).files if name.startswith(f"baseline/outputs/{case}/")]:
        files += [CaseFile("compared with", run_id, name, kind_of(name)) for name in sorted(beside)]
        there = _measured(shelf, model, run_id, "baseline/measurements.jsonl", case)
    elif other and other != run_id and "/" not in other:
        try:
            there = _measured(shelf, model, other, "measurements.jsonl", case)
            files += [
                CaseFile("compared with", other, found.name, found.kind) for found in _files(shelf, model, other, case)
            ]
        except (NotStoredError, UsageError, DamagedError):
            there = {}  # it is gone, or was never archived here
    numbers = [
        number(
            metric,
            here[metric].value,
            there[metric].value if metric in there else None,
            unit=here[metric].unit,
            error=here[metric].error or "",
            extractor=here[metric].extractor,
        )
        for metric in in_order(here)
    ]
    return CaseView(case, numbers, files, call.status if call else "", (call.error or "") if call else "")


def cases_of(shelf: Shelf, model: str, run_id: str) -> list[Invocation]:
    """Every case that the run put to the model, in its order; empty where that is not recorded.

    Raises:
        UsageError: a record cannot be read.
        DamagedError: they are too many: see :meth:`penstock.book.shelf.Shelf.lines`.
    """
    try:
        lines = shelf.lines(model, run_id, "invocations.jsonl", lambda line: bool(line.strip()))
    except NotStoredError:
        return []
    return [_parsed(line, Invocation, f"{model}/{run_id}/invocations.jsonl") for line in lines]


def cases_page(shelf: Shelf, model: str, run_id: str, asked: str) -> ListPage[Invocation]:
    """One page of a run's cases; see :func:`list_page`. Other cases are counted and not kept, however many there are.

    Raises:
        UsageError: a record on the page cannot be read.
        DamagedError: the file is too large to be shown.
    """
    wanted = list_page(range(MANY_CASES), asked)  # as if there were that many
    lines, total = _lines_at(shelf, model, run_id, wanted.rows)
    found = list_page(range(total), asked)
    if found.number != wanted.number:
        lines, _ = _lines_at(shelf, model, run_id, found.rows)
    rows = [_parsed(line, Invocation, f"{model}/{run_id}/invocations.jsonl") for line in lines]
    return ListPage(rows, found.number, found.pages, total)


def _lines_at(shelf: Shelf, model: str, run_id: str, places: Sequence[int]) -> tuple[list[bytes], int]:
    """The lines of ``invocations.jsonl`` at some places, from 0; and how many there are."""
    total = 0

    def wanted(line: bytes) -> bool:
        nonlocal total
        total += bool(line.strip())
        return bool(line.strip()) and total - 1 in places

    try:
        return shelf.lines(model, run_id, "invocations.jsonl", wanted), total
    except NotStoredError:
        return [], 0


def parse_lines(content: bytes, kind: type[Line], where: str) -> list[Line]:
    """The records of a file of lines.

    Raises:
        UsageError: one of them is not valid; ``where`` is put before that.
    """
    return [_parsed(line, kind, where) for line in content.split(b"\n") if line.strip()]


def _baseline(shelf: Shelf, model: str, run_id: str) -> str | None:
    """What it was compared with; ``None`` also where the verdict cannot be read: the page of the run says so."""
    try:
        verdict = shelf.verdict(model, run_id)
    except (UsageError, DamagedError):
        return None
    return verdict.baseline if verdict is not None else None


def _files(shelf: Shelf, model: str, run_id: str, case: str) -> list[CaseFile]:
    names = shelf.manifest(model, run_id).files
    found = sorted(name for name in names if name.startswith(f"outputs/{case}/"))
    return [CaseFile("this run", run_id, name, kind_of(name)) for name in found]


def _measured(shelf: Shelf, model: str, run_id: str, name: str, case: str) -> dict[str, Measurement]:
    found = _lines(shelf, model, run_id, name, case, Measurement)
    return {measurement.metric: measurement for measurement in found if measurement.case == case}


def _lines(shelf: Shelf, model: str, run_id: str, name: str, case: str, kind: type[Line]) -> list[Line]:
    try:
        lines = shelf.lines(model, run_id, name, _mentions(case))
    except NotStoredError:
        return []
    return [_parsed(line, kind, f"{model}/{run_id}/{name}") for line in lines]


def _mentions(case: str) -> Callable[[bytes], bool]:
    """A quick look at a line before it is parsed."""
    if case.isascii() and case.isprintable() and not set('"\\/') & set(case):
        sought = f'"{case}"'.encode()
        return lambda line: sought in line
    plain = case.encode("utf-8", "replace")  # without a backslash, JSON writes every letter as it is
    return lambda line: (plain in line or b"\\" in line) and _case_of(line) in (case, None)


def _case_of(line: bytes) -> str | None:
    """Which case a line is about; ``None``: it cannot be read; who parses it says so."""
    try:
        return _CaseName.model_validate_json(line).case if line.strip() else ""
    except ValidationError:
        return None


class _CaseName(BaseModel):
    case: str


def _parsed(line: bytes, kind: type[Line], where: str) -> Line:
    try:
        return kind.model_validate_json(line)
    except ValidationError:
        raise UsageError("a line of it is not a valid record", where=where) from None
