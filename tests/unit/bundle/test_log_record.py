"""``log.json``: written, read, and said in one sentence."""

from __future__ import annotations

from pathlib import Path

from penstock.bundle.directory import Bundle
from penstock.bundle.log_record import LogFinding, LogRecord, log_record, write_log_record

RIGHT = LogRecord(lines=3, matching=2, calls=2, dropped_bytes=0, counts={}, findings=[])


def test_it_is_read_as_it_was_written(tmp_path: Path) -> None:
    assert log_record(Bundle(tmp_path)) is None
    write_log_record(Bundle(tmp_path), RIGHT)
    assert log_record(Bundle(tmp_path)) == RIGHT


def test_the_fault_in_words() -> None:
    finding = LogFinding(kind="plain", file="logs/model.log", line=7, what="no JSON object")
    assert RIGHT.fault is None
    one = RIGHT.model_copy(update={"findings": [finding], "counts": {"plain": 1}})
    assert one.fault == "logs/model.log line 7: no JSON object"
    several = one.model_copy(update={"counts": {"plain": 3, "secret": 2}})
    assert several.fault == "logs/model.log line 7: no JSON object, and 4 more faults"
    whole = one.model_copy(update={"findings": [finding.model_copy(update={"line": 0, "what": "too few"})]})
    assert whole.fault == "too few"
