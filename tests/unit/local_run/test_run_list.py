"""The runs below a directory, whatever state they were left in."""

from __future__ import annotations

import datetime
import fcntl
from pathlib import Path

import pytest
from tests.unit.cli.made_runs import made_run, stopped_run

from penstock.local_run.run_list import LocalRun, age_words, held, local_runs, size_of, size_words
from penstock.local_run.run_scratch import RECORD


def test_newest_first_and_only_runs(tmp_path: Path) -> None:
    made_run(tmp_path, "old", "1.0.0", days=3)
    made_run(tmp_path, "new", "1.1.0", days=1, verdict="fail")
    stopped = stopped_run(tmp_path, "stopped")
    (tmp_path / "runs" / "no-run").mkdir()
    (tmp_path / "runs" / "latest").symlink_to(stopped)
    (tmp_path / "runs" / ".hidden").mkdir()
    found = local_runs(tmp_path)
    assert [run.name for run in found] == ["stopped", "new", "old"]
    assert [run.verdict for run in found] == ["stopped", "rejected", "accepted"]
    assert [run.version for run in found] == ["", "1.1.0", "1.0.0"]
    assert local_runs(tmp_path / "nothing") == []


def test_run_that_was_killed_at_any_moment_is_empty_where_it_cannot_be_read(tmp_path: Path) -> None:
    bundle = made_run(tmp_path, "torn", "1.0.0")
    for file in (bundle.run_file, bundle.verdict_file, tmp_path / "runs" / "torn" / "request.json"):
        file.write_text("{")
    (run,) = local_runs(tmp_path)
    assert (run.model, run.version, run.params, run.verdict) == ("", "", {}, "stopped")
    assert run.began.tzinfo is not None


def test_run_that_a_process_is_at_work_on(tmp_path: Path) -> None:
    folder = stopped_run(tmp_path, "busy")
    (folder / RECORD).touch()
    with (folder / RECORD).open() as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        assert LocalRun(folder).verdict == "running"
        with held(folder) as mine:
            assert not mine
    with held(folder) as mine:
        assert mine
    assert not LocalRun(folder).running


def test_sizes_follow_no_link(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "file").write_bytes(b"x" * 1000)
    (tmp_path / "a" / "link").symlink_to("/usr/bin")
    assert 1000 <= size_of(tmp_path / "a") < 1100


@pytest.mark.parametrize(
    ("seconds", "words"), [(-5, "0 s"), (59, "59 s"), (60, "1 min"), (3600, "1 h"), (86_399, "23 h"), (86_400, "1 d")]
)
def test_ages(seconds: int, words: str) -> None:
    now = datetime.datetime(2026, 1, 2, tzinfo=datetime.UTC)
    assert age_words(now - datetime.timedelta(seconds=seconds), now) == words


@pytest.mark.parametrize(("count", "words"), [(1023, "1023 B"), (1024, "1.0 KiB"), (1 << 41, "2048.0 GiB")])
def test_size_words(count: int, words: str) -> None:
    assert size_words(count) == words
