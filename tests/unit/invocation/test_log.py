"""A model's log: both ends kept, safe to print."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from penstock.invocation.log import BoundedLog


def test_log_keeps_both_ends(tmp_path: Path) -> None:
    with BoundedLog(tmp_path / "log", head_bytes=10, tail_bytes=10) as log:
        for start in range(0, 100, 7):
            log.write(b"".join(b"%02d" % number for number in range(start, min(start + 7, 100))))
        assert log.end().endswith("979899")
    assert (tmp_path / "log").read_text(encoding="utf-8") == (
        "0001020304\n[penstock] 180 bytes of log were dropped here\n9596979899"
    )


def test_log_is_safe_to_print_and_speaks_of_the_last_call(tmp_path: Path) -> None:
    with BoundedLog(tmp_path / "log") as log:
        log.write(b"before\n")
        log.mark()
        assert log.end() == "(empty)"
        log.note("case one")
        log.write(b"\x1b[31mred\xff\n\n")
        assert log.end() == "\\x1b[31mred\ufffd"
    with BoundedLog(tmp_path / "log") as log:
        log.write(b"resumed\n")
    assert "resumed" in (tmp_path / "log").read_text(encoding="utf-8", errors="replace")


def test_last_line_of_a_log_is_shown_whole(tmp_path: Path) -> None:
    last = "ModuleNotFoundError: No module named 'torch', looked for in " + ", ".join(f"/env/{n}" for n in range(200))
    with BoundedLog(tmp_path / "log") as log:
        log.write(b"Traceback (most recent call last):\n" + b"x" * 500 + b"\n" + last.encode() + b"\n")
        assert log.end() == last
        assert log.end(10_000).startswith("Traceback")
        log.write(b"a" * 590 + b"\nshort\n")
        assert log.end() == "a" * 590 + "\nshort"
        log.write(b"y" * 20_000 + b"\n")
        assert log.end().startswith("…yyy")


def test_a_line_of_ours_never_cuts_one_of_the_models(tmp_path: Path) -> None:
    with BoundedLog(tmp_path / "log") as log:
        log.write(b'{"event": "pre')
        log.note("case one")
        log.note("case two")
        assert log.end() == '{"event": "pre'
        log.write(b"")
        log.write(b'dict"}\n{"event": "next"}\n{"ev')
        log.note("case three")
    assert (tmp_path / "log").read_text(encoding="utf-8").splitlines() == [
        '{"event": "predict"}',
        "[penstock] case one",
        "[penstock] case two",
        '{"event": "next"}',
        '{"ev',
        "[penstock] case three",
    ]


def test_the_last_line_of_a_model_that_dies_in_its_middle_ends(tmp_path: Path) -> None:
    with BoundedLog(tmp_path / "log") as log:
        reading, writing = os.pipe()
        thread = log.drain(os.fdopen(reading, "rb", buffering=0))
        os.write(writing, b"half a li")
        os.close(writing)
        thread.join()
        log.note("starting again")
        log.write(b"hello\n")
    lines = (tmp_path / "log").read_text(encoding="utf-8").splitlines()
    assert lines == ["half a li", "[penstock] starting again", "hello"]


@pytest.mark.parametrize("size", [1, 3, 11, 1000])
def test_no_line_of_the_model_begins_like_ours(tmp_path: Path, size: int) -> None:
    text = b"[penstock] one\n[penstock]\n[pen\nsaid [penstock] two\n[penstock] three\n\n[penstock"
    with BoundedLog(tmp_path / "log") as log:
        log.note("ours")
        for start in range(0, len(text), size):
            log.write(text[start : start + size])
        assert log.end().endswith("three\n[penstock")
        log.note("ours as well")
    assert (tmp_path / "log").read_text(encoding="utf-8").splitlines() == [
        "[penstock] ours",
        " [penstock] one",
        "[penstock]",
        "[pen",
        "said [penstock] two",
        " [penstock] three",
        "",
        "[penstock",
        "[penstock] ours as well",
    ]


def test_a_note_in_the_middle_of_such_a_line_waits(tmp_path: Path) -> None:
    with BoundedLog(tmp_path / "log") as log:
        log.write(b"[penst")
        log.note("ours")
        log.write(b"ock] theirs\n[penstock] theirs again\n")
        log.write(b"[pens")
    assert (tmp_path / "log").read_bytes() == (b" [penstock] theirs\n[penstock] ours\n [penstock] theirs again\n[pens")


def test_a_log_that_ends_in_a_line_is_added_to_on_a_new_one(tmp_path: Path) -> None:
    (tmp_path / "log").write_bytes(b'{"ev')
    for _ in range(2):
        with BoundedLog(tmp_path / "log") as log:
            log.write(b"resumed\n")
    assert (tmp_path / "log").read_text(encoding="utf-8").splitlines() == [
        '{"ev',
        "[penstock] the line above was cut short",
        "resumed",
        "resumed",
    ]
