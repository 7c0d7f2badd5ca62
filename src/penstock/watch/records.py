"""Evidence from a log of single requests: JSON lines in a file or on standard input."""

from __future__ import annotations

import datetime
import io
import math
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO, Final

import numpy as np

from penstock.foundation.errors import UsageError
from penstock.foundation.files import open_regular
from penstock.foundation.strict_json import JsonError, read_json, show_json
from penstock.watch.evidence import EvidenceError, LiveEvidence, RequestTable, tabulate

MAX_RECORDS: Final = 20_000_000
MAX_LINE_BYTES: Final = 10_000
CLOCK_SLACK_S: Final = 60.0
MAX_TIME: Final = 1e11
"""Unix seconds, far in the future: above that they are milliseconds."""
_BATCH: Final = 60
"""Lines that are parsed together: fewer than the levels that JSON may have, so that these need not be counted."""
_KNOWN: Final = frozenset({"time", "side", "user", "status", "latency_ms", "feedback", "probe"})
_TODO: Final = 'Write {"time": 1764200000.5, "side": "canary", "user": "u1", "status": 200, "latency_ms": 130}.'


class RecordsSource:
    """The records of a file that may still grow, or of standard input.

    What was read is kept; :meth:`read` goes on where it had stopped. A last line without an end is waited for while the
    file grows, and read when ``whole``.

    Args:
        path: the file; ``None``: ``stream`` is read to its end.
        stream: in place of a file.
        whole: the file does not grow any more.
    """

    def __init__(self, path: Path | None, *, stream: BinaryIO | None = None, whole: bool = True) -> None:
        self._path, self._whole = path, whole
        self._name = str(path) if path is not None else "standard input"
        self._stream = stream
        self._offset, self._lines = 0, 0
        self._columns: tuple[list[Any], ...] = ([], [], [], [], [], [])
        self._users: dict[str, int] = {}
        self._fault: UsageError | None = None

    @property
    def last_time(self) -> float | None:
        """Of the last record, Unix seconds."""
        self._update()
        return max(self._columns[0], default=None)

    def first_canary(self) -> float | None:
        """When the canary had its first request, Unix seconds."""
        self._update()
        return min((at for at, canary in zip(*self._columns[:2], strict=True) if canary), default=None)

    def read(self, *, start: float, now: float, stretch_s: float) -> LiveEvidence:
        """The evidence from ``start`` (Unix seconds, after the warm-up) until ``now``.

        Raises:
            UsageError: the file cannot be read, or a line is not a record; ``where`` is ``FILE:LINE``.
            EvidenceError: there is none, or records are from the future.
        """
        self._update()
        if not self._columns[0]:
            raise EvidenceError(f"{self._name} holds no records yet")
        table = self._table()
        # not from ``now``: after the timeout that stands still, and a log goes on
        ahead = float(table.time[-1]) - max(now, time.time())
        if ahead > CLOCK_SLACK_S:
            raise EvidenceError(f"the clocks differ: there are records from {ahead:.0f} s in the future")
        return tabulate(table, start=start, end=now, stretch_s=stretch_s)

    def _table(self) -> RequestTable:
        times, canary, user, failed, latency, feedback = self._columns
        moments = np.array(times, dtype=np.float64)
        order = np.argsort(moments, kind="stable")
        said, on_canary = np.array(feedback, dtype=np.int8)[order], np.array(canary, dtype=bool)[order]
        asked = bool((said >= 0)[on_canary].any()), bool((said >= 0)[~on_canary].any())
        return RequestTable(
            moments[order],
            on_canary,
            np.array(user, dtype=np.int64)[order],
            np.array(failed, dtype=bool)[order],
            np.array(latency, dtype=np.float64)[order],
            (said == 1) if any(asked) else None,
            asked,
        )

    def _update(self) -> None:
        """Read on. What could not be read once is not passed over the next time."""
        if self._fault is not None:
            raise self._fault
        try:
            self._read_on()
        except UsageError as error:
            self._fault = error
            raise

    def _read_on(self) -> None:
        for lines in self._batches():
            for record, number in self._parsed(lines):
                if not _is_probe(record, f"{self._name}:{number}"):
                    self._keep(record, f"{self._name}:{number}")
            self._lines += len(lines)
            if len(self._columns[0]) > MAX_RECORDS:
                raise UsageError(f"there are more than {MAX_RECORDS:,} records", where=self._name, todo="Use fewer.")

    def _batches(self) -> Iterator[list[bytes]]:
        """Lines that were not read before."""
        if self._path is not None:
            with open_regular(self._path, where=self._name) as file:
                if file.seek(0, io.SEEK_END) < self._offset:
                    raise EvidenceError(f"{self._name} has become shorter: records are lost")
                file.seek(self._offset)
                yield from self._lines_of(file)
        elif self._stream is not None:
            stream, self._stream = self._stream, None
            yield from self._lines_of(stream)

    def _lines_of(self, file: BinaryIO) -> Iterator[list[bytes]]:
        lines: list[bytes] = []
        while line := file.readline(MAX_LINE_BYTES + 1):
            if not line.endswith(b"\n"):
                if len(line) > MAX_LINE_BYTES:
                    where = f"{self._name}:{self._lines + len(lines) + 1}"
                    raise UsageError(f"the line is longer than {MAX_LINE_BYTES} bytes", where=where, todo=_TODO)
                if not self._whole:
                    break
            self._offset += len(line)
            lines.append(line)
            if len(lines) == _BATCH:
                yield lines
                lines = []
        if lines:
            yield lines

    def _parsed(self, lines: Sequence[bytes]) -> Iterator[tuple[dict[str, Any], int]]:
        """The objects of some lines. They are parsed together; only where that fails, line by line."""
        given = [(line, number) for number, line in enumerate(lines, self._lines + 1) if line.strip()]
        try:
            found = read_json(b"[" + b",".join(line for line, _ in given) + b"]")
        except JsonError:
            found = []
        if len(found) != len(given):
            found = [self._one(line, number) for line, number in given]
        for value, (_, number) in zip(found, given, strict=True):
            if not isinstance(value, dict):
                raise UsageError("the line is not a JSON object", where=f"{self._name}:{number}", todo=_TODO)
            yield value, number

    def _one(self, line: bytes, number: int) -> Any:
        try:
            return read_json(line)
        except JsonError as error:
            raise UsageError(f"not a record: {error}", where=f"{self._name}:{number}", todo=_TODO) from error

    def _keep(self, record: dict[str, Any], where: str) -> None:
        if unknown := record.keys() - _KNOWN:
            raise UsageError(f"unknown field {show_json(min(unknown))}", where=where, todo=_TODO)
        side = record.get("side")
        if side not in ("canary", "stable"):
            raise _bad("side", side, "canary or stable", where)
        status, latency, user = record.get("status"), record.get("latency_ms"), record.get("user")
        if not _is_number(status) or not isinstance(status, int) or not 0 <= status <= 999:
            raise _bad("status", status, "an HTTP status; 0 where there was no answer", where)
        if latency is not None and not (_is_number(latency) and latency >= 0):
            raise _bad("latency_ms", latency, "a number from 0 on", where)
        if user is not None and not (isinstance(user, str | int) and not isinstance(user, bool)):
            raise _bad("user", user, "text or a whole number", where)
        said = record.get("feedback")
        if said not in (None, "good", "bad"):
            raise _bad("feedback", said, "good or bad", where)
        values = (
            _time(record.get("time"), where),
            side == "canary",
            -1 if user is None else self._users.setdefault(str(user), len(self._users)),
            status == 0 or status >= 500,
            math.nan if latency is None else float(latency),
            -1 if "feedback" not in record else int(said == "bad"),
        )
        for column, value in zip(self._columns, values, strict=True):
            column.append(value)


def parse_time(text: str, *, where: str) -> float:
    """Unix seconds of a time such as ``1764200000`` or ``2026-11-27T00:00:00Z``.

    Raises:
        UsageError: it is neither, or has no time zone.
    """
    try:
        seconds = float(text)
    except ValueError:
        try:
            moment = datetime.datetime.fromisoformat(text)
        except ValueError:
            moment = None
        if moment is None or moment.tzinfo is None:
            raise _bad("time", text, "Unix seconds, or a time such as 2026-11-27T00:00:00Z", where) from None
        seconds = moment.timestamp()
    if not 0 < seconds < MAX_TIME:
        raise _bad("time", text, "in seconds, not milliseconds", where)
    return seconds


def parse_start(text: str, *, where: str) -> float:
    """As :func:`parse_time`, of when a canary was started: the future is refused, for it would be waited for.

    Raises:
        UsageError: it is no time, or in the future.
    """
    found = parse_time(text, where=where)
    if found > time.time() + CLOCK_SLACK_S:
        raise UsageError("the canary cannot have been started in the future", where=where, todo="Correct the time.")
    return found


def _is_probe(record: dict[str, Any], where: str) -> bool:
    """Whether it is of a request that Penstock made: those are not users' traffic."""
    said = record.get("probe", False)
    if not isinstance(said, bool):
        raise _bad("probe", said, "true or false", where)
    return said


def _time(value: object, where: str) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < MAX_TIME:
        return float(value)
    if isinstance(value, str) or _is_number(value):
        return parse_time(str(value), where=where)
    raise _bad("time", value, "Unix seconds, or a time such as 2026-11-27T00:00:00Z", where)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _bad(field: str, value: object, wanted: str, where: str) -> UsageError:
    shown = show_json(value) if value is not None else "missing"
    return UsageError(f"'{field}' is {shown}, not {wanted}", where=where, todo=_TODO)
