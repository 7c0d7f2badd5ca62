"""What is kept of probes: found again, and nothing else taken for it."""

from __future__ import annotations

import errno
import io
import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest
from tests.unit.watch.made_pairs import T0, made_pairs, pair

from penstock.foundation.errors import UsageError, WorldError
from penstock.watch.probe_journal import ProbeJournal, journal_lock


def test_found_again(tmp_path: Path) -> None:
    path = tmp_path / "probes.jsonl"
    pairs = made_pairs(20, fails=0.3, wrong=0.3)
    journal = ProbeJournal(path)
    assert journal.last_time is None
    for one in pairs:
        journal.add(one)
    again = ProbeJournal(path)
    assert again.since(0.0) == journal.since(0.0) == pairs
    assert again.since(T0 + 100) == pairs[10:]
    assert again.last_time == pairs[-1].time


def test_in_memory() -> None:
    journal = ProbeJournal(None)
    journal.add(pair(T0))
    assert journal.since(T0) == [pair(T0)]


def test_a_line_that_was_cut_off_is_taken_out(tmp_path: Path) -> None:
    path = tmp_path / "probes.jsonl"
    for one in made_pairs(3):
        ProbeJournal(path).add(one)
    content = path.read_bytes()
    path.write_bytes(content[:-20])
    journal = ProbeJournal(path)
    assert len(journal.since(0.0)) == 2
    journal.add(pair(T0))
    assert len(ProbeJournal(path).since(0.0)) == 3


@pytest.mark.parametrize(
    "change",
    [
        {"first": "nobody"},
        {"first": ["canary"]},
        {"time": "now"},
        {"time": -1},
        {"time": True},
        {"case": 3},
        {"canary": None},
        {"canary": {"latency_ms": 0, "error": None}},
        {"canary": {"latency_ms": None, "error": 500}},
        {"canary": {"latency_ms": None, "error": None}},
        {"canary": {"latency_ms": 1.0, "error": "it crashed"}},
        {"compared": False, "differs": "text is another"},
        {"stable": {"latency_ms": 1.0}},
        {"compared": 1},
        {"differs": []},
    ],
)
def test_what_is_no_pair_is_named(tmp_path: Path, change: dict[str, object]) -> None:
    path = tmp_path / "probes.jsonl"
    ProbeJournal(path).add(pair(T0))
    good = path.read_text(encoding="utf-8")
    path.write_text(good + json.dumps(json.loads(good) | change) + "\n", encoding="utf-8")
    with pytest.raises(UsageError, match=r"probes\.jsonl:2: this is no pair of probes"):
        ProbeJournal(path)


@pytest.mark.parametrize("line", [b"[]\n", b"NaN\n", b"\xff\n", b"\n", b"{" * 20_000])
def test_other_files(tmp_path: Path, line: bytes) -> None:
    path = tmp_path / "probes.jsonl"
    path.write_bytes(line)
    with pytest.raises(UsageError, match=r"probes\.jsonl:1"):
        ProbeJournal(path)


def test_places_where_none_can_be(tmp_path: Path) -> None:
    for path, said in ((tmp_path, "this is a directory"), (tmp_path / "no" / "probes.jsonl", "its folder is missing")):
        with pytest.raises(UsageError, match=said):
            ProbeJournal(path)


def test_a_disk_that_takes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    journal = ProbeJournal(tmp_path / "probes.jsonl")

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "open", full)
    with pytest.raises(WorldError, match="no space"):
        journal.add(pair(T0))
    assert journal.since(0.0) == []


def test_half_a_line_of_a_full_disk_is_taken_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "probes.jsonl"
    journal = ProbeJournal(path)
    journal.add(pair(T0))

    class HalfFull(io.BufferedWriter):
        def write(self, content: Any) -> int:
            super().write(content[:20])
            raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(Path, "open", lambda self, _mode: HalfFull(io.FileIO(self, "a")))
        with pytest.raises(WorldError, match="no space"):
            journal.add(pair(T0 + 1))
    assert not path.read_bytes().endswith(b"\n"), "half a line is there"
    journal.add(pair(T0 + 2))
    assert ProbeJournal(path).since(0.0) == journal.since(0.0) == [pair(T0), pair(T0 + 2)]


@pytest.mark.parametrize("content", ["v1.2.3", '{"cases": 3}', '{"tim3'])
def test_a_file_of_somebody_else_is_left_as_it_is(tmp_path: Path, content: str) -> None:
    path = tmp_path / "VERSION"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(UsageError, match="VERSION:1: this is no pair of probes"):
        ProbeJournal(path)
    assert path.read_text(encoding="utf-8") == content


def test_who_only_looks_takes_nothing_out(tmp_path: Path) -> None:
    path = tmp_path / "probes.jsonl"
    ProbeJournal(path).add(pair(T0))
    with path.open("a", encoding="utf-8") as file:
        file.write('{"time": 17')
    before = path.read_bytes()
    assert ProbeJournal(path).since(0.0) == [pair(T0)]
    assert path.read_bytes() == before


def test_one_watch_writes_a_journal(tmp_path: Path) -> None:
    path = tmp_path / "probes.jsonl"
    with journal_lock(path):
        with pytest.raises(UsageError, match="another watch writes this journal"), journal_lock(path):
            pass
        assert ProbeJournal(path).last_time is None, "who only looks needs no lock"
    with journal_lock(path):
        ProbeJournal(path).add(made_pairs(1, start=1_764_200_000.0)[0])
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(UsageError), journal_lock(tmp_path / "pipe"):
        pass
    with pytest.raises(UsageError, match="its folder is missing"), journal_lock(tmp_path / "none" / "probes.jsonl"):
        pass


def test_what_fails_in_a_watch_is_not_told_of_its_journal(tmp_path: Path) -> None:
    path = tmp_path / "probes.jsonl"
    with pytest.raises(PermissionError), journal_lock(path):
        raise PermissionError(errno.EACCES, "Permission denied", "another file")
    with journal_lock(path):
        pass


def test_a_watch_that_was_killed_holds_no_lock(tmp_path: Path) -> None:
    path = tmp_path / "probes.jsonl"
    child = os.fork()
    if child == 0:
        with journal_lock(path):
            os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(child, 0)
    with journal_lock(path):
        pass
