"""Other programs: bounded output, a time limit, nothing left behind."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from penstock.foundation.errors import WorldError
from penstock.sources import program
from penstock.sources.program import Finished, run


def test_code_output_and_tail() -> None:
    done = run(["sh", "-c", "echo out; echo '\033[2Jerr' >&2; exit 3"])
    assert (done.code, done.output) == (3, b"out\n")
    assert "\033" not in done.tail
    assert "err" in done.tail
    assert run(["cat"]).output == b""  # nothing can be typed


def test_environment_is_the_one_that_is_given(tmp_path: Path) -> None:
    assert run(["/usr/bin/env"], env={"ONLY": "this"}, cwd=tmp_path).output.split() == [b"ONLY=this"]


def test_joined_streams_are_the_log(tmp_path: Path) -> None:
    done = run(["sh", "-c", "echo one; echo two >&2"], join=True, log_file=tmp_path / "log")
    assert done.output == b""
    assert (tmp_path / "log").read_text() == "one\ntwo\n"
    assert done.tail == "one\ntwo"


@pytest.mark.slow
def test_program_that_hangs_is_ended_with_all_that_it_started(tmp_path: Path) -> None:
    script = f"sleep 600 & echo $! > {tmp_path}/child; wait"
    before = time.monotonic()
    with pytest.raises(WorldError, match="did not finish"):
        run(["sh", "-c", script], timeout_s=0.2)
    assert time.monotonic() - before < 30
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "child").read_text()), 0)


def test_flood_is_ended_and_a_missing_program_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(program, "MAX_OUTPUT_BYTES", 1 << 20)
    with pytest.raises(WorldError, match="wrote more than"):
        run(["cat", "/dev/zero"])
    with pytest.raises(WorldError, match="no-such-program"):
        run(["no-such-program"])


def test_the_last_line_is_cut_to_its_end() -> None:
    assert Finished(1, b"", "first\nlast ").last_line == "last"
    assert Finished(1, b"", "").last_line == ""
    assert (
        Finished(1, b"", "x" * 300 + "connection refused").last_line == "…" + ("x" * 300 + "connection refused")[-200:]
    )
