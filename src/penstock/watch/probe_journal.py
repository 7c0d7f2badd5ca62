"""Pairs of probes, kept as JSON lines: who restarts a watch finds what it had found."""

from __future__ import annotations

import contextlib
import fcntl
import json
import math
import os
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from penstock.foundation.errors import MissingFileError, UsageError
from penstock.foundation.files import disk_errors, open_regular
from penstock.foundation.strict_json import JsonError, read_json
from penstock.watch.probe_pairs import ProbeAnswer, ProbePair, SideName

MAX_LINE_BYTES: Final = 10_000
MAX_PAIRS: Final = 1_000_000
_TODO: Final = "Move the file away: a new one is begun."
_BEGIN: Final = b'{"time": '
"""What every line begins with."""


@contextlib.contextmanager
def journal_lock(path: Path) -> Iterator[None]:
    """Be the one watch that writes a journal; the lock ends with the process, however that ends.

    Args:
        path: the journal; it is made if it is not there.

    Raises:
        UsageError: another watch writes it; its folder is missing, or it is no file.
        WorldError: it cannot be written.
    """
    _check_folder(path)
    with contextlib.suppress(MissingFileError):
        open_regular(path, where=str(path)).close()  # not a pipe, whose opening would wait for ever
    with contextlib.ExitStack() as stack:
        with disk_errors(path):  # not around the watch: what fails in that is not this file
            file = stack.enter_context(path.open("ab"))
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            todo = "End that one, or name another 'probes.journal'."
            raise UsageError("another watch writes this journal", where=str(path), todo=todo) from None
        yield


class ProbeJournal:
    """The pairs of a watch, in memory and, if it is told where, in a file. Who adds to it holds :func:`journal_lock`.

    Args:
        path: the file; ``None``: they are kept in memory alone.

    Raises:
        UsageError: the file holds something else, and ``where`` is ``FILE:LINE``; its folder is missing.
    """

    def __init__(self, path: Path | None) -> None:
        if path is not None:
            _check_folder(path)
        self._path = path
        self._pairs, self._torn = _read(path) if path is not None else ([], None)

    @property
    def last_time(self) -> float | None:
        """Of the last pair, Unix seconds."""
        return max((pair.time for pair in self._pairs), default=None)

    def since(self, start: float) -> list[ProbePair]:
        """Those that ended at ``start`` (Unix seconds) or later."""
        return [pair for pair in list(self._pairs) if pair.time >= start]

    def add(self, pair: ProbePair) -> None:
        """Keep one. Half a line that an earlier writer has left, or that a full disk did, is taken out first.

        Raises:
            WorldError: the disk is full; it is not kept.
        """
        if self._path is not None:
            line = json.dumps(asdict(pair), allow_nan=False) + "\n"
            with disk_errors(self._path), self._path.open("ab") as file:
                if self._torn is not None:
                    file.truncate(self._torn)
                self._torn = file.seek(0, os.SEEK_END)
                file.write(line.encode())
            self._torn = None
        self._pairs.append(pair)


def _check_folder(path: Path) -> None:
    if not path.parent.is_dir():
        raise UsageError("its folder is missing", where=str(path), todo="Make it, or correct 'probes.journal'.")


def _read(path: Path) -> tuple[list[ProbePair], int | None]:
    """What the file holds, and where a last line begins that was cut off, as by a kill; ``None``: there is none."""
    found: list[ProbePair] = []
    whole = 0
    try:
        with open_regular(path, where=str(path)) as file:
            for number in range(1, MAX_PAIRS + 2):
                line = file.readline(MAX_LINE_BYTES + 1)
                if not line.endswith(b"\n") and len(line) <= MAX_LINE_BYTES:
                    break
                found.append(_pair(line, f"{path}:{number}"))
                whole += len(line)
            else:
                raise UsageError(f"there are more than {MAX_PAIRS:,} pairs", where=str(path), todo=_TODO)
    except MissingFileError:
        return [], None
    if line and not (line.startswith(_BEGIN) or _BEGIN.startswith(line)):
        # it would be cut off, and may be all there is of a file that is somebody else's
        raise UsageError("this is no pair of probes", where=f"{path}:{number}", todo=_TODO)
    return found, whole if line else None


def _pair(line: bytes, where: str) -> ProbePair:
    try:
        value = read_json(line) if len(line) <= MAX_LINE_BYTES else None
        return _pair_of(value)
    except (JsonError, KeyError, TypeError, ValueError) as error:
        raise UsageError("this is no pair of probes", where=where, todo=_TODO) from error


def _pair_of(value: Any) -> ProbePair:
    first: SideName = {"canary": "canary", "stable": "stable"}[value["first"]]  # type: ignore[assignment]
    compared = value["compared"]
    if not isinstance(compared, bool) or (value["differs"] is not None and not compared):
        raise TypeError("compared")
    return ProbePair(
        _number(value["time"]),
        _text(value["case"]),
        first,
        _answer(value["canary"]),
        _answer(value["stable"]),
        compared,
        None if value["differs"] is None else _text(value["differs"]),
    )


def _answer(value: Any) -> ProbeAnswer:
    latency, error = value["latency_ms"], value["error"]
    if (latency is None) == (error is None):
        raise ValueError("it has either failed or taken its time")
    return ProbeAnswer(None if latency is None else _number(latency), None if error is None else _text(error))


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not (value > 0 and math.isfinite(value)):
        raise ValueError("no number above 0")
    return float(value)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError("no text")
    return value
