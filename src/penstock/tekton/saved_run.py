"""What a run keeps on disk so that it can go on: one file, written whole or not at all, and a lock."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from penstock.foundation.errors import UsageError
from penstock.foundation.files import disk_errors, sha256_json, write_json
from penstock.tekton.run_json import TaskRunRecord

VERSION = 1
_MAX_STATE_BYTES = 256 << 20


@dataclass
class RunState:
    """The state of a run.

    ``inputs`` holds a digest of everything that decides what the run does, by what it is: it must not change between
    an interrupted run and the one that goes on with it.
    """

    name: str
    uid: str
    inputs: dict[str, str]
    started: str
    task_runs: dict[str, TaskRunRecord] = field(default_factory=dict)
    finished: dict[str, Any] | None = None
    """The run's status once it has ended."""

    def save(self, run_dir: Path) -> None:
        """Write the state."""
        write_json(
            run_dir / "state.json",
            {
                "version": VERSION,
                "name": self.name,
                "uid": self.uid,
                "inputs": self.inputs,
                "started": self.started,
                "taskRuns": {name: record.to_json() for name, record in self.task_runs.items()},
                "finished": self.finished,
            },
        )


def load_state(run_dir: Path) -> RunState | None:
    """The state of the run in ``run_dir``; nothing if there is none.

    Raises:
        UsageError: the file is not one that this version wrote.
    """
    path = run_dir / "state.json"
    if not path.is_file():
        return None
    try:
        if path.stat().st_size > _MAX_STATE_BYTES:
            raise ValueError("too large")
        data = json.loads(path.read_text(encoding="utf-8"))
        if data["version"] != VERSION:
            raise ValueError(f"version {data['version']}")
        records = {name: TaskRunRecord.from_json(record) for name, record in data["taskRuns"].items()}
        return RunState(data["name"], data["uid"], dict(data["inputs"]), data["started"], records, data["finished"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise UsageError(
            f"this is not the state of a run that this version can read ({type(error).__name__})",
            where=str(path),
            todo="Start a new run in another directory.",
        ) from error


def changed_inputs(before: dict[str, str], now: dict[str, str]) -> list[str]:
    """What differs between the inputs of two runs, by name."""
    return sorted(name for name in before.keys() | now.keys() if before.get(name) != now.get(name))


def digest(value: Any) -> str:
    """A digest of a JSON value."""
    return sha256_json(value)


@contextmanager
def locked(run_dir: Path) -> Iterator[None]:
    """Hold the run's directory for this process alone.

    Raises:
        UsageError: another process is running it, or it is not a directory.
    """
    if run_dir.exists() and not run_dir.is_dir():
        raise UsageError("this is a file, not a directory", where=str(run_dir), todo="Choose another directory.")
    with disk_errors(run_dir):
        run_dir.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(run_dir / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UsageError(
                "this run is going on in another process", where=str(run_dir), todo="Wait for it, or stop it."
            ) from None
        yield
    finally:
        os.close(descriptor)
