"""The runs that lie below a directory: what each was of, how it ended, how old and how large it is."""

from __future__ import annotations

import contextlib
import datetime
import fcntl
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from penstock.bundle.directory import Bundle
from penstock.bundle.models import Run
from penstock.foundation.errors import PenstockError
from penstock.local_run.run_folder import REFUSED, REQUEST
from penstock.local_run.run_scratch import RECORD
from penstock.report.pair import Pair, pair_of

VERDICTS = {"pass": "accepted", "fail": "rejected", "inconclusive": "inconclusive"}
PIPELINE_RUN = "pipelinerun.json"


@dataclass(frozen=True)
class LocalRun:
    """One run's folder. What cannot be read is empty: a run may have been killed at any moment."""

    folder: Path

    @property
    def name(self) -> str:
        """The run's name."""
        return self.folder.name

    @property
    def bundle(self) -> Bundle:
        """Its bundle, as far as it came."""
        return Bundle(self.folder / "bundle")

    @cached_property
    def request(self) -> dict[str, Any]:
        """What was asked for; empty for runs of ``bisect`` and ``calibrate``."""
        content = _json(self.folder / REQUEST)
        return content if isinstance(content, dict) else {}

    @cached_property
    def record(self) -> Run | None:
        """``run.json``."""
        with contextlib.suppress(PenstockError):
            return self.bundle.run()
        return None

    @property
    def params(self) -> dict[str, Any]:
        """The pipeline's parameters, as far as they are known."""
        params = self.request.get("params")
        return params if isinstance(params, dict) else {}

    @property
    def track(self) -> str:
        """``release``, ``verify``, ``bisect``, ``calibrate``, or a pipeline's file."""
        return self.record.track if self.record is not None else str(self.request.get("what", ""))

    @property
    def model(self) -> str:
        """The model's name, once it is known."""
        return self.record.model if self.record is not None else ""

    @property
    def version(self) -> str:
        """The version that was cloned."""
        return self.record.source.version if self.record is not None and self.record.source is not None else ""

    @property
    def pair(self) -> Pair | None:
        """Its image and weights, as far as they are known."""
        return pair_of(self.record) if self.record is not None else None

    @property
    def revision(self) -> str:
        """What was asked for: branch, tag or commit."""
        return str(self.params.get("revision", ""))

    @cached_property
    def verdict(self) -> str:
        """``accepted``, ``rejected``, ``inconclusive``, or how far a run without a verdict came."""
        if self.bundle.verdict_file.exists():
            with contextlib.suppress(PenstockError):
                return VERDICTS[self.bundle.verdict().verdict]
        if self.running:
            return "running"
        if (self.folder / REFUSED).exists():
            return "refused"
        state = _json(self.folder / "state" / "state.json")
        finished = state.get("finished") if isinstance(state, dict) else None
        done = isinstance(finished, dict) and finished.get("status") == "True"
        return "done" if done else "stopped"

    @cached_property
    def running(self) -> bool:
        """Whether a process is at work on it."""
        with held(self.folder) as mine:
            return not mine

    @cached_property
    def began(self) -> datetime.datetime:
        """When it began, in UTC."""
        if self.record is not None and self.record.steps:
            with contextlib.suppress(ValueError):
                return datetime.datetime.fromisoformat(self.record.steps[0].started)
        files = (self.folder / REQUEST, self.folder / PIPELINE_RUN, self.folder)
        made = next(path.stat().st_mtime for path in files if path.exists())
        return datetime.datetime.fromtimestamp(made, datetime.UTC)

    @cached_property
    def bytes(self) -> int:
        """What it takes on the disk."""
        return size_of(self.folder)


def local_runs(out: Path) -> list[LocalRun]:
    """All runs below ``out``, the newest first."""
    folder = out / "runs"
    if not folder.is_dir():
        return []
    found = [
        LocalRun(path)
        for path in folder.iterdir()
        if not path.name.startswith(".") and path.is_dir() and not path.is_symlink()
    ]
    runs = [run for run in found if any((run.folder / name).exists() for name in (REQUEST, PIPELINE_RUN))]
    return sorted(runs, key=lambda run: (run.began, run.name), reverse=True)


@contextlib.contextmanager
def held(folder: Path) -> Iterator[bool]:
    """Hold a run's lock, see :mod:`penstock.local_run.run_scratch`; yields whether that was possible."""
    with contextlib.ExitStack() as stack:
        try:
            handle = os.open(folder / RECORD, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
        except FileNotFoundError:
            yield True
            return
        except OSError:
            yield False
            return
        stack.callback(os.close, handle)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        yield True


def size_of(directory: Path) -> int:
    """Bytes of all files below a directory; links are not followed."""
    total = 0
    for folder, _, names in os.walk(directory):
        for name in names:
            with contextlib.suppress(OSError):
                total += Path(folder, name).lstat().st_size
    return total


def age_words(began: datetime.datetime, now: datetime.datetime) -> str:
    """``3 d``, ``5 h``, ``12 min``, ``40 s``."""
    seconds = max(0, int((now - began).total_seconds()))
    for unit, length in (("d", 86_400), ("h", 3600), ("min", 60)):
        if seconds >= length:
            return f"{seconds // length} {unit}"
    return f"{seconds} s"


def size_words(count: int) -> str:
    """``14.2 MiB``."""
    size = float(count)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if size < 1024 or unit == "GiB":
            break
        size /= 1024
    return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"


def _json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
