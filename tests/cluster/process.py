"""Processes of the host: started detached, recorded so that no reused pid is taken for ours, waited for, stopped."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.cluster import cgroups
from tests.cluster.settings import Settings

from penstock.foundation.errors import WorldError

LOG_TAIL_LINES = 25
POLL_S = 0.1
STOP_TIMEOUT_S = 15.0


@dataclass(frozen=True)
class Part:
    """A process of the cluster: what to run, and how to tell that it does its work."""

    name: str
    argv: Sequence[str | Path]
    ready: Callable[[], bool]
    env: Mapping[str, str] = field(default_factory=dict)
    timeout_s: float = 60


class PartFailed(WorldError):
    """A part did not come up; says why, with the end of its log."""

    def __init__(self, name: str, why: str, log: Path) -> None:
        tail = "\n".join(f"  | {line}" for line in last_lines(log))
        super().__init__(
            f"{name} did not come up: {why}. The end of its log:\n{tail or '  | (empty)'}",
            todo=f"\nThe whole log: {log}",
        )


@dataclass(frozen=True)
class Record:
    """Who a pid is: its start time and this boot tell it from a later process of the same number."""

    pid: int
    started: int
    boot: str
    argv_digest: str

    @classmethod
    def read(cls, path: Path) -> Record | None:
        """The record at ``path``; None where there is none or it is torn."""
        try:
            return cls(**json.loads(path.read_text()))
        except (FileNotFoundError, ValueError, TypeError):
            return None

    @property
    def alive(self) -> bool:
        """Whether that very process still runs."""
        return self.boot == boot_id() and start_time(self.pid) == self.started


def boot_id() -> str:
    """A new one with each boot of the machine."""
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def start_time(pid: int) -> int | None:
    """Clock ticks from boot to the process's start; None if there is no such process or it is a zombie."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    state, *rest = text[text.rindex(")") + 2 :].split()
    return None if state in "ZX" else int(rest[18])


def record_path(settings: Settings, name: str) -> Path:
    """Where the record of a part lies."""
    return settings.pids / f"{name}.json"


def is_running(settings: Settings, name: str) -> bool:
    """Whether the recorded process of this part is alive."""
    record = Record.read(record_path(settings, name))
    return record is not None and record.alive


def start(settings: Settings, part: Part) -> None:
    """Start one part and wait until it is ready; nothing to do if it runs already and is."""
    start_all(settings, [part])


def start_all(settings: Settings, parts: Sequence[Part]) -> None:
    """Start parts that need nothing of each other at once, then wait for each."""
    for part in parts:
        _launch(settings, part)
    for part in parts:
        _wait(settings, part)


def stop(settings: Settings, name: str, patience_s: float = STOP_TIMEOUT_S) -> None:
    """TERM, then KILL, to the recorded process and no other; returns when it is gone."""
    path = record_path(settings, name)
    record = Record.read(path)
    if record is not None and record.alive:
        _signal(record, signal.SIGTERM)
        if not wait_until(lambda: not record.alive, patience_s):
            _signal(record, signal.SIGKILL)
            wait_until(lambda: not record.alive, STOP_TIMEOUT_S)
    path.unlink(missing_ok=True)


def wait_until(condition: Callable[[], bool], timeout_s: float) -> bool:
    """Poll until ``condition`` holds; False if it did not within the time."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL_S)
    return True


def last_lines(log: Path, count: int = LOG_TAIL_LINES) -> list[str]:
    """The end of a log, long lines cut; empty if there is no log."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - 64 * 1024))
            text = file.read().decode(errors="replace")
    except FileNotFoundError:
        return []
    return [line[:400] for line in text.splitlines()[-count:]]


def _launch(settings: Settings, part: Part) -> None:
    """Start the process unless it runs already with the same arguments."""
    argv = [str(word) for word in part.argv]
    digest = hashlib.sha256(json.dumps([argv, sorted(part.env.items())]).encode()).hexdigest()
    record = Record.read(record_path(settings, part.name))
    if record is not None and record.alive:
        if record.argv_digest == digest:
            return
        stop(settings, part.name)
    settings.logs.mkdir(parents=True, exist_ok=True)
    settings.pids.mkdir(parents=True, exist_ok=True)
    print(f"cluster: starting {part.name}", flush=True)  # noqa: T201
    with (settings.logs / f"{part.name}.log").open("ab") as log:
        child = subprocess.Popen(
            cgroups.enter(settings.cgroup, argv),
            env={**os.environ, **part.env},
            cwd=settings.state,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    _CHILDREN[part.name] = child
    started = start_time(child.pid)
    if started is None:
        raise PartFailed(part.name, f"it ended at once with status {child.wait()}", settings.logs / f"{part.name}.log")
    fresh = Record(pid=child.pid, started=started, boot=boot_id(), argv_digest=digest)
    temporary = record_path(settings, part.name).with_suffix(".tmp")
    temporary.write_text(json.dumps(fresh.__dict__))
    temporary.replace(record_path(settings, part.name))


_CHILDREN: dict[str, subprocess.Popen[bytes]] = {}
"""Children of this very run, so that one that dies is reaped and its status told."""


def _wait(settings: Settings, part: Part) -> None:
    """Wait until a launched part is ready; a part that died or is late is named with the end of its log."""
    log = settings.logs / f"{part.name}.log"
    child = _CHILDREN.get(part.name)
    deadline = time.monotonic() + part.timeout_s
    while True:
        if child is not None and child.poll() is not None:
            record_path(settings, part.name).unlink(missing_ok=True)
            raise PartFailed(part.name, f"it ended with status {child.returncode}", log)
        if part.ready():
            return
        if time.monotonic() > deadline:
            raise PartFailed(part.name, f"it runs, but was not ready within {part.timeout_s:.0f} s", log)
        time.sleep(POLL_S)


def _signal(record: Record, number: signal.Signals) -> None:
    """Signal the process through a handle that pins it, so that its pid cannot be reused between check and signal."""
    try:
        handle = os.pidfd_open(record.pid)
    except ProcessLookupError:
        return
    try:
        if record.alive:
            signal.pidfd_send_signal(handle, number)
    except ProcessLookupError:
        return
    finally:
        os.close(handle)
