"""A model's log is read line by line, and each fault named by file and line."""

from __future__ import annotations

import json
import time
from pathlib import Path

import numpy as np
import pytest

from penstock.bundle.directory import Bundle
from penstock.bundle.log_record import MAX_FINDINGS, LogRecord, log_record
from penstock.bundle.models import CallRecord, Invocation, Measurement
from penstock.contract.model_log import ModelLog
from penstock.evaluation.model_log import judge_log
from penstock.invocation.log import BoundedLog

LOG = ModelLog(required=["event", "image_hash", "latency_ms", "objects_found"], where={"event": "recognize"})
GOOD = {"event": "recognize", "image_hash": "9f86", "latency_ms": 12.5, "objects_found": 0}


def line(**changed: object) -> str:
    return json.dumps(GOOD | changed)


def judged(folder: Path, *lines: str, log: ModelLog = LOG, calls: int = 1, name: str = "model.log") -> LogRecord:
    bundle = Bundle(folder)
    (folder / "logs").mkdir(exist_ok=True)
    (folder / "logs" / name).write_text("".join(f"{each}\n" for each in lines), encoding="utf-8")
    bundle.write_invocations([Invocation(case=f"c{n}", status="ok") for n in range(calls)])
    bundle.write_measurements([Measurement(case="c0", metric="latency", value=1.0)])
    return judge_log(log, bundle)


def test_a_log_as_it_should_be(tmp_path: Path) -> None:
    start = json.dumps({"event": "started", "model": "m"})
    record = judged(tmp_path, "[penstock] started", start, "", line(), line(), calls=2)
    assert record.fault is None
    assert (record.lines, record.matching, record.calls, record.findings) == (3, 2, 2, [])
    assert log_record(Bundle(tmp_path)) == record
    values = Bundle(tmp_path).measurements()
    assert [(found.case, found.metric, found.value) for found in values] == [("c0", "latency", 1.0), ("*", "log", 1.0)]
    # judged again, the outcome takes the place of the earlier one
    judge_log(LOG, Bundle(tmp_path))
    assert len(Bundle(tmp_path).measurements()) == 2


@pytest.mark.parametrize(
    ("bad", "kind", "what"),
    [
        (line(image_hash=None), "field", "lacks 'image_hash'"),
        (json.dumps({"event": "recognize"}), "field", "lacks 'image_hash', 'latency_ms', 'objects_found'"),
        ("INFO: 127.0.0.1 - POST /recognize", "plain", "no JSON object"),
        ("[1, 2]", "plain", "no JSON object"),
        ('{"event": NaN}', "plain", "no JSON object"),
        (line(key="AKIAIOSFODNN7EXAMPLE"), "secret", "holds an AWS access key"),
        (line(password="hunter22"), "secret", "holds a value of 'password'"),
        (line(image="data:image/png;base64,iVBO"), "image", "holds a picture"),
        (line(feature=[0.5] * 512), "vector", "holds a vector"),
    ],
)
def test_a_line_with_a_fault(tmp_path: Path, bad: str, kind: str, what: str) -> None:
    record = judged(tmp_path, line(), bad)
    (finding,) = record.findings
    assert (finding.kind, finding.file, finding.line, finding.what) == (kind, "logs/model.log", 2, what)
    assert record.fault == f"logs/model.log line 2: {what}"
    value = Bundle(tmp_path).measurements()[-1]
    assert (value.value, value.error) == (0.0, record.fault)
    # a secret is never repeated
    stored = (tmp_path / "log.json").read_text()
    assert not any(secret in stored for secret in ("AKIAIOSFODNN7EXAMPLE", "hunter22"))


def test_plain_lines_may_be_allowed_but_not_what_has_no_place_in_a_log(tmp_path: Path) -> None:
    plain = LOG.model_copy(update={"plain": True})
    assert judged(tmp_path, "INFO: started", line(), log=plain).fault is None
    fault = judged(tmp_path, "INFO: password=hunter22", line(), log=plain).fault
    assert fault == "logs/model.log line 1: holds a value of 'password'"


def test_each_call_leaves_a_line(tmp_path: Path) -> None:
    record = judged(tmp_path, line(), calls=3)
    assert record.fault == "the model answered 3 calls and wrote 1 lines with event: recognize"
    assert record.counts == {"missing": 1}
    assert judged(tmp_path, line(), calls=3, log=LOG.model_copy(update={"each_call": False})).fault is None
    several = Invocation(
        case="pair",
        status="failed",
        calls=[CallRecord(name=name, status=status, started="t") for name, status in (("a", "ok"), ("b", "failed"))],
    )
    Bundle(tmp_path).write_invocations([several])
    assert judge_log(LOG, Bundle(tmp_path)).calls == 1


def test_a_model_that_logs_nothing(tmp_path: Path) -> None:
    bundle = Bundle(tmp_path)
    bundle.write_invocations([Invocation(case="c", status="ok")])
    bundle.write_measurements([])
    assert judge_log(LOG, bundle).fault == "the model answered 1 calls and wrote 0 lines with event: recognize"


def test_logs_of_all_shards_count(tmp_path: Path) -> None:
    judged(tmp_path, line(), name="model-1-of-2.log")
    record = judged(tmp_path, "oops", line(), name="model-2-of-2.log", calls=2)
    assert (record.matching, record.fault) == (2, "logs/model-2-of-2.log line 1: no JSON object")


def test_faults_without_end_are_counted_and_the_first_are_kept(tmp_path: Path) -> None:
    record = judged(tmp_path, *["oops"] * 250, line())
    assert (record.counts, len(record.findings)) == ({"plain": 250}, MAX_FINDINGS)
    assert record.fault == "logs/model.log line 1: no JSON object, and 249 more faults"


def test_lines_that_the_bounded_log_has_cut_are_no_faults(tmp_path: Path) -> None:
    bundle = Bundle(tmp_path)
    with BoundedLog(tmp_path / "logs" / "model.log", head_bytes=150, tail_bytes=250) as log:
        for number in range(100):
            log.write(f"{line(image_hash=str(number))}\n".encode())
    bundle.write_invocations([Invocation(case=f"c{n}", status="ok") for n in range(100)])
    bundle.write_measurements([])
    record = judge_log(LOG, bundle)
    assert record.fault is None
    assert record.dropped_bytes > 5000
    assert 2 <= record.matching < 100


PASSWORD = "password=hunter2hunter2"
FORGED = "[penstock] 1 bytes of log were dropped here"


def written(folder: Path, *chunks: bytes, log: ModelLog = LOG, calls: int = 1) -> LogRecord:
    """Judged as the model wrote it, through the bounded log."""
    bundle = Bundle(folder)
    with BoundedLog(folder / "logs" / "model.log") as file:
        for chunk in chunks:
            file.write(chunk)
    bundle.write_invocations([Invocation(case=f"c{n}", status="ok") for n in range(calls)])
    bundle.write_measurements([])
    return judge_log(log, bundle)


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_a_model_cannot_write_in_penstocks_name(tmp_path: Path, size: int) -> None:
    text = f"{FORGED}\n[penstock] {PASSWORD}\n{FORGED}\n".encode()
    record = written(tmp_path, *(text[start : start + size] for start in range(0, len(text), size)))
    assert (record.lines, record.matching, record.dropped_bytes) == (3, 0, 0)
    assert record.counts == {"plain": 3, "secret": 1, "missing": 1}


def test_no_line_says_of_itself_that_bytes_were_dropped(tmp_path: Path) -> None:
    endless = f"[penstock] {'9' * 5000} bytes of log were dropped here"
    record = judged(tmp_path, endless, line())
    assert (record.fault, record.dropped_bytes) == (None, 0)


def test_the_rest_of_a_line_that_a_gap_has_cut_is_passed_over_whatever_it_looks_like(tmp_path: Path) -> None:
    record = judged(tmp_path, "[penstock] 5 bytes of log were dropped here", FORGED, "oops", line())
    assert (record.dropped_bytes, record.lines, record.counts) == (5, 2, {"plain": 1})


def test_a_finding_never_repeats_the_models_own_key(tmp_path: Path) -> None:
    bad = r'{"event":"x","\ud800\u202e pa\u0073sword":"abcdefgh"}'
    record = judged(tmp_path, bad, line(), log=LOG.model_copy(update={"plain": True}))
    assert record.fault == "logs/model.log line 1: holds a value of 'password'"
    assert log_record(Bundle(tmp_path)) == record


@pytest.mark.parametrize("odd", ['"x": NaN', '"x": 1, "x": 2', r'"x": "\ud800"'])
def test_escapes_are_read_also_where_a_line_is_no_json_to_penstock(tmp_path: Path, odd: str) -> None:
    bad = rf'{{"event": "y", {odd}, "pa\u0073sword": "hunter22"}}'
    record = judged(tmp_path, bad, line())
    assert record.counts == {"plain": 1, "secret": 1}


def test_an_embedding_that_is_printed_over_several_lines(tmp_path: Path) -> None:
    plain = LOG.model_copy(update={"plain": True})
    printed = str(np.random.default_rng(1).normal(size=512)).splitlines()
    assert len(printed) > 60
    record = judged(tmp_path, "INFO: ready", line(), *printed[:9], "[penstock] a note", *printed[9:], log=plain)
    assert record.counts == {"vector": 1}
    assert record.fault == "logs/model.log line 3: holds a vector"


def test_json_after_a_progress_bar_and_in_colour(tmp_path: Path) -> None:
    bar = f"\r 50%|#  | 1/2\r100%|###| 2/2\r{line()}\n"
    record = written(tmp_path, bar.encode(), f"\x1b[32m{line()}\x1b[0m\r\n\x1b[0m\n".encode(), calls=2)
    assert (record.fault, record.lines, record.matching) == (None, 2, 2)
    hidden = written(tmp_path, f"{PASSWORD}\r{line()}\n\r 50%\r 100%\n".encode(), calls=3)
    assert hidden.counts == {"secret": 1, "plain": 1}


def test_what_a_model_read_may_be_logged_and_what_it_says_is_judged(tmp_path: Path) -> None:
    read = line(text="WiFi password: welcome2024")
    assert judged(tmp_path, read).fault is None
    said = judged(tmp_path, line(), line(message="WiFi password: welcome2024"), calls=2)
    assert said.fault == "logs/model.log line 2: holds a value of 'password'"


@pytest.mark.slow
def test_a_long_json_line(tmp_path: Path) -> None:
    record = judged(tmp_path, line(text="as it was read " * 20_000))
    assert (record.fault, record.matching) == (None, 1)


@pytest.mark.slow
def test_a_line_that_never_ends_its_text_takes_no_long_time(tmp_path: Path) -> None:
    began = time.process_time()
    assert judged(tmp_path, "{" + chr(34) + chr(92) + (chr(34) + chr(92)) * 200_000, line()).counts == {"plain": 1}
    assert time.process_time() - began < 5


def test_a_line_that_a_killed_run_has_cut_is_no_fault(tmp_path: Path) -> None:
    killed = tmp_path / "logs" / "model.log"
    killed.parent.mkdir()
    killed.write_bytes(f'{line()}\n{{"ev'.encode())
    record = written(tmp_path, f"{line()}\n".encode(), calls=2)
    assert (record.fault, record.matching) == (None, 2)


def test_true_is_not_one(tmp_path: Path) -> None:
    log = ModelLog(required=["image_hash"], where={"event": True})
    assert (
        judged(tmp_path, json.dumps({"event": 1}), json.dumps({"event": True, "image_hash": "9"}), log=log).matching
        == 1
    )
    log = ModelLog(required=["image_hash"], where={"event": 1})
    assert (
        judged(tmp_path, json.dumps({"event": True}), json.dumps({"event": 1.0, "image_hash": "9"}), log=log).matching
        == 1
    )
