"""``log.json``: what was found in the model's log."""

from __future__ import annotations

from typing import Literal

from penstock.bundle.directory import Bundle, read_model, write_model
from penstock.bundle.models import SCHEMA_VERSION
from penstock.bundle.record import Record

RECORD = "log.json"
MAX_FINDINGS = 100
LogFault = Literal["plain", "field", "secret", "image", "vector", "missing"]
"""``plain``: no JSON object; ``field``: a field is missing; ``secret``, ``image``, ``vector``: what has no place in a
log; ``missing``: fewer lines than calls."""


class LogFinding(Record):
    """One fault. What was found is never repeated: it may be a secret."""

    kind: LogFault
    file: str
    line: int
    """1 is the first; 0: of the whole log."""
    what: str


class LogRecord(Record):
    """The outcome."""

    schema_version: int = SCHEMA_VERSION
    lines: int
    """Of the model; blank ones and Penstock's own are not counted."""
    matching: int
    """JSON lines that must have the required fields."""
    calls: int
    """That the model answered."""
    dropped_bytes: int
    """What the bounded log does not hold."""
    counts: dict[LogFault, int]
    """How many faults of each kind there are."""
    findings: list[LogFinding]
    """The first hundred."""

    @property
    def fault(self) -> str | None:
        """All in one sentence; ``None``: there is none."""
        if not self.findings:
            return None
        first, others = self.findings[0], sum(self.counts.values()) - 1
        where = f"{first.file} line {first.line}: " if first.line else ""
        return f"{where}{first.what}" + (f", and {others} more faults" if others else "")


def write_log_record(bundle: Bundle, record: LogRecord) -> None:
    """Write it."""
    write_model(bundle.path / RECORD, record)


def log_record(bundle: Bundle) -> LogRecord | None:
    """Read it; ``None`` where no log was judged."""
    path = bundle.path / RECORD
    return read_model(path, LogRecord) if path.exists() else None
