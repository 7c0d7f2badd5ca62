"""The model's log, compared with what the contract says of it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from penstock.bundle.directory import Bundle
from penstock.bundle.log_record import MAX_FINDINGS, LogFault, LogFinding, LogRecord, write_log_record
from penstock.bundle.models import WHOLE_SUITE, Invocation, Measurement
from penstock.contract.model_log import ModelLog
from penstock.evaluation.unfit_for_logs import picture_in, secret_field, secret_in, vector_field, vector_in
from penstock.families.family import LOG_METRIC
from penstock.foundation.strict_json import JsonError, read_json

LOGS = "model*.log"
"""One, or one a shard; at most 2 MiB each (:class:`penstock.invocation.log.BoundedLog`)."""
OURS = b"[penstock] "
DROPPED = re.compile(rb"\[penstock\] (\d+) bytes of log were dropped here")
MAX_LINE = 1 << 16


def judge_log(log: ModelLog, bundle: Bundle) -> LogRecord:
    """Read the log, write ``log.json``, and put the outcome among the measurements: 1 it is right, 0 and why not.

    Args:
        log: the contract's section.
        bundle: measured.
    """
    judge = LogJudge(log)
    for path in sorted((bundle.path / "logs").glob(LOGS)):
        judge.read(path, f"logs/{path.name}")
    record = judge.record(sum(_answered(call) for call in bundle.invocations()))
    write_log_record(bundle, record)
    kept = [found for found in bundle.measurements() if found.metric != LOG_METRIC.name]
    value = float(record.fault is None)
    outcome = Measurement(case=WHOLE_SUITE, metric=LOG_METRIC.name, value=value, error=record.fault)
    bundle.write_measurements([*kept, outcome])
    return record


class LogJudge:
    """Reads logs line by line and keeps count of faults."""

    def __init__(self, log: ModelLog) -> None:
        self._log = log
        self._lines = self._matching = self._dropped = 0
        self._counts: Counter[LogFault] = Counter()
        self._findings: list[LogFinding] = []

    def read(self, path: Path, name: str) -> None:
        """Read one file; ``name`` is how findings call it."""
        for number, line in self._of_the_model(path):
            self._lines += 1
            for kind, what in self._faults(line):
                self._add(kind, name, number, what)

    def record(self, calls: int) -> LogRecord:
        """What was found, given how many calls the model answered."""
        if self._log.each_call and self._matching < calls and not self._dropped:
            which = f" with {_values(self._log)}" if self._log.where else ""
            what = f"the model answered {calls} calls and wrote {self._matching} lines{which}"
            self._add("missing", "logs", 0, what)
        return LogRecord(
            lines=self._lines,
            matching=self._matching,
            calls=calls,
            dropped_bytes=self._dropped,
            counts=dict(self._counts),
            findings=self._findings,
        )

    def _add(self, kind: LogFault, file: str, line: int, what: str) -> None:
        self._counts[kind] += 1
        if len(self._findings) < MAX_FINDINGS:
            self._findings.append(LogFinding(kind=kind, file=file, line=line, what=what))

    def _of_the_model(self, path: Path) -> Iterator[tuple[int, bytes]]:
        """Its whole lines: without blank ones, Penstock's own, and the two that a gap in the log has cut."""
        before: tuple[int, bytes] | None = None
        cut = False
        with path.open("rb") as file:
            for number, line in enumerate(file, 1):
                gap = DROPPED.match(line)
                if gap is not None:
                    self._dropped += int(gap[1])
                    before, cut = None, True
                elif line.strip() and not line.startswith(OURS):
                    if before is not None:
                        yield before
                    before, cut = (None if cut else (number, line)), False
        if before is not None:
            yield before

    def _faults(self, line: bytes) -> Iterator[tuple[LogFault, str]]:
        text = line.decode("utf-8", errors="replace")
        content = _json_object(line)
        if content is None:
            if not self._log.plain:
                yield "plain", "no JSON object"
        elif all(content.get(name) == value for name, value in self._log.where.items()):
            self._matching += 1
            lacking = [name for name in self._log.required if content.get(name) is None]
            if lacking:
                yield "field", f"lacks {', '.join(repr(name) for name in lacking)}"
        secret = secret_in(text) or (secret_field(content) if content is not None else None)
        if secret is not None:
            yield "secret", f"holds {secret}"
        picture = picture_in(text)
        if picture is not None:
            yield "image", f"holds {picture}"
        if vector_field(content) if content is not None else vector_in(text):
            yield "vector", "holds a vector"


def _json_object(line: bytes) -> dict[str, Any] | None:
    if len(line) > MAX_LINE:
        return None
    try:
        found = read_json(line)
    except JsonError:
        return None
    return found if isinstance(found, dict) else None


def _answered(call: Invocation) -> int:
    """How many calls of a case came back with an answer, a refusal included."""
    made = [each.status == "ok" for each in call.calls]
    return sum(made) if made else int(call.status == "ok")


def _values(log: ModelLog) -> str:
    return ", ".join(f"{name}: {value}" for name, value in log.where.items())
