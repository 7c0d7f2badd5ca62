"""The model's log, compared with what the contract says of it."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from penstock.bundle.directory import Bundle
from penstock.bundle.log_record import MAX_FINDINGS, LogFault, LogFinding, LogRecord, write_log_record
from penstock.bundle.models import WHOLE_SUITE, Invocation, Measurement
from penstock.contract.model_log import ModelLog
from penstock.evaluation.unfit_for_logs import (
    picture_field,
    picture_in,
    secret_field,
    secret_in,
    vector_field,
    vector_lines,
)
from penstock.families.engine_metrics import LOG_METRIC
from penstock.foundation.errors import printable
from penstock.foundation.strict_json import JsonError, read_json

LOGS = "model*.log"
"""One, or one a shard; at most 2 MiB each (:class:`penstock.invocation.log.BoundedLog`)."""
OURS = b"[penstock] "
"""No line of the model begins so: :class:`~penstock.invocation.log.BoundedLog` sees to it."""
DROPPED = re.compile(rb"\[penstock\] (\d{1,15}) bytes of log were dropped here\n")
CUT_SHORT = OURS + b"the line above was cut short\n"
COLOUR = re.compile(rb"\x1b\[[0-?]*[ -/]*[@-~]")


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
        plain: list[tuple[int, str]] = []
        for number, line in self._of_the_model(path):
            parts = [part for part in COLOUR.sub(b"", line).split(b"\r") if part.strip()]
            if not parts:
                continue
            self._lines += 1
            contents = [_json_object(part) for part in parts]
            if contents[-1] is None and not self._log.plain:
                self._add("plain", name, number, "no JSON object")
            for part, content in zip(parts, contents, strict=True):
                text = part.decode("utf-8", errors="replace")
                if content is None:
                    plain += [(number, each) for each in text.splitlines()]
                for kind, what in self._faults(text, content):
                    self._add(kind, name, number, what)
        # a vector that is printed goes over several lines
        for index in vector_lines("\n".join(text for _, text in plain)):
            self._add("vector", name, plain[index][0], "holds a vector")

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
        """Its whole lines: without blank ones, Penstock's own, and those that a gap or a killed run has cut."""
        before: tuple[int, bytes] | None = None
        cut = False
        with path.open("rb") as file:
            for number, line in enumerate(file, 1):
                gap = None if cut else DROPPED.fullmatch(line)
                if gap is not None:
                    self._dropped += int(gap[1])
                    before, cut = None, True
                elif cut:
                    cut = False  # the rest of a line, whatever it looks like
                elif line == CUT_SHORT:
                    before = None
                elif line.strip() and not line.startswith(OURS):
                    if before is not None:
                        yield before
                    before = (number, line)
        if before is not None:
            yield before

    def _faults(self, text: str, content: dict[str, Any] | None) -> Iterator[tuple[LogFault, str]]:
        if content is not None and all(_same(content.get(name), value) for name, value in self._log.where.items()):
            self._matching += 1
            lacking = [name for name in self._log.required if content.get(name) is None]
            if lacking:
                yield "field", f"lacks {', '.join(repr(name) for name in lacking)}"
        secret = secret_in(text) or secret_field(_loaded(text) or {}) if content is None else secret_field(content)
        if secret is not None:
            yield "secret", f"holds {secret}"
        picture = picture_in(text) if content is None else picture_field(content)
        if picture is not None:
            yield "image", f"holds {picture}"
        if content is not None and vector_field(content):
            yield "vector", "holds a vector"


def _json_object(line: bytes) -> dict[str, Any] | None:
    # a text of a MiB that is no JSON is refused at once by the standard library
    if _loaded(line) is None:
        return None
    try:
        found = read_json(line)
    except JsonError:
        return None
    return found if isinstance(found, dict) else None


def _loaded(line: bytes | str) -> dict[str, Any] | None:
    """The object that the standard library reads: also of what Penstock refuses (``NaN``, half of a surrogate pair)."""
    if line.lstrip()[:1] not in (b"{", "{"):
        return None
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _same(value: Any, wanted: Any) -> bool:
    """Whether a field has a value of the contract; to Python, ``True`` is 1."""
    return bool(value == wanted) and isinstance(value, bool) == isinstance(wanted, bool)


def _answered(call: Invocation) -> int:
    """How many calls of a case came back with an answer, a refusal included."""
    made = [each.status == "ok" for each in call.calls]
    return sum(made) if made else int(call.status == "ok")


def _values(log: ModelLog) -> str:
    return printable(", ".join(f"{name}: {value}" for name, value in log.where.items()))
