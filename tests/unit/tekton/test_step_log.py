"""A step's log: floods, pieces of lines, bytes that are no text."""

from __future__ import annotations

from penstock.tekton.step_log import StepLog


def test_a_log_that_floods_keeps_its_beginning_and_its_end(tmp_path):
    lines: list[str] = []
    with StepLog(tmp_path / "log", lambda _stream, line: lines.append(line), head=100, tail=50) as log:
        for number in range(1000):
            log.write("stdout", f"line {number}\n".encode())
    text = (tmp_path / "log").read_text()
    assert text.startswith("line 0\nline 1\n")
    assert text.endswith("line 998\nline 999\n")
    assert "bytes of the log are left out here" in text
    assert len(text) < 300
    assert lines[-1].startswith("[the log is too long")
    assert len(lines) < 20


def test_a_log_of_pieces_of_lines_and_of_bytes_that_are_no_text(tmp_path):
    lines: list[tuple[str, str]] = []
    with StepLog(tmp_path / "log", lambda stream, line: lines.append((stream, line))) as log:
        log.write("stdout", b"one")
        log.write("stderr", b"\xff\xfe\n")
        log.write("stdout", b" line\r\n" + b"x" * 40_000)
    assert lines[:2] == [("stderr", "\ufffd\ufffd"), ("stdout", "one line")]
    assert "".join(line for _, line in lines[2:]) == "x" * 40_000
    assert (tmp_path / "log").stat().st_size == 3 + len(b"one line\r\n") + 40_000
