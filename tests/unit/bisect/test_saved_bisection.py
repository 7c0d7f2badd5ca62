"""A bisection goes on where it was broken off: what is whole is read, what is not counts as nothing."""

from __future__ import annotations

from pathlib import Path

from tests.unit.bisect.histories import commits

from penstock.bisect.saved_bisection import Bisection, BisectStep, CommitRecord, read_steps, write


def bisection() -> Bisection:
    good, middle, bad = map(CommitRecord.of, commits(3))
    steps = [BisectStep(commit=middle, position=1, answer="good", why="within", value=7.5)]
    named = {"repository": "r", "metric": "lse_d", "slice": None, "rule": "≤ 9", "level": 0.05}
    return Bisection.model_validate(named | {"good": good, "bad": bad, "commits": 2, "steps": steps})


def test_what_was_written_is_read_by_commit(tmp_path: Path) -> None:
    path = tmp_path / "bisect.json"
    assert read_steps(path) == {}
    write(path, bisection())
    (step,) = bisection().steps
    assert read_steps(path) == {step.commit.hash: step}


def test_record_that_is_not_whole_is_none(tmp_path: Path) -> None:
    path = tmp_path / "bisect.json"
    write(path, bisection())
    path.write_bytes(path.read_bytes()[:-40])
    assert read_steps(path) == {}


def test_commit_comes_back_as_it_was() -> None:
    commit = commits(2)[1]
    record = CommitRecord.of(commit)
    assert (record.hash, record.parents, record.author, record.subject) == (
        commit.hash,
        commit.parents,
        commit.author,
        commit.subject,
    )
