"""What a bisection has found out, kept on disk after every commit: it goes on where it was broken off."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field

from penstock.bisect.commits import Commit
from penstock.bisect.search import Answer
from penstock.bundle.directory import read_model, write_model
from penstock.bundle.models import SCHEMA_VERSION
from penstock.bundle.record import Record
from penstock.bundle.verdict_record import RuleResult
from penstock.foundation.errors import PenstockError

Outcome = Literal["found", "suspects", "not worse", "inconclusive"]


class CommitRecord(Record):
    """One commit."""

    hash: str
    parents: tuple[str, ...] = ()
    author: str
    email: str
    date: str
    subject: str

    @classmethod
    def of(cls, commit: Commit) -> CommitRecord:
        """The record of a commit."""
        return cls(**vars(commit))


class BisectStep(Record):
    """One commit that was looked at."""

    commit: CommitRecord
    position: int
    """0 is the good commit; the bad one comes last."""
    answer: Literal["good", "bad"] | Answer
    why: str
    value: float | None = None
    """The metric's mean over the cases."""
    against_good: RuleResult | None = None
    """The gate's answer with the good commit as the baseline."""
    against_bad: RuleResult | None = None
    """Where the good commit could not settle it: the gate's answer to the bad commit with this one as the baseline."""
    bundle: str = ""
    origin: str = ""
    """``run now``, ``run NAME``, ``archived run NAME``; empty if it could not be run."""
    seconds: float = 0.0


class Bisection(Record):
    """``bisect.json``, and what ``--json`` prints."""

    schema_version: int = SCHEMA_VERSION
    outcome: Outcome | None = None
    """``None``: it is not finished."""
    first_bad: CommitRecord | None = None
    before: CommitRecord | None = None
    """The newest commit before it that is not worse."""
    suspects: list[CommitRecord] = Field(default_factory=list)
    """Where commits had to be skipped: one of these is the first bad one."""
    repository: str
    metric: str
    slice: str | None
    rule: str
    """What is allowed, in words."""
    level: float
    good: CommitRecord
    bad: CommitRecord
    commits: int
    """After the good one, the bad one among them."""
    suite: str = ""
    """Digest of the suite: the bad commit's."""
    extractors: dict[str, str] = Field(default_factory=dict)
    """Role → SHA-256: the bad commit's."""
    runs: int = 0
    """Commits that had to be run."""
    reused: int = 0
    """Commits of which there was a bundle."""
    steps: list[BisectStep] = Field(default_factory=list)


def read_steps(path: Path) -> dict[str, BisectStep]:
    """Commit → what an earlier, broken-off bisection found of it; none where there is no whole record."""
    if not path.exists():
        return {}
    try:
        return {step.commit.hash: step for step in read_model(path, Bisection).steps}
    except PenstockError:
        return {}


def write(path: Path, bisection: Bisection) -> None:
    """Keep it, whole or not at all."""
    write_model(path, bisection)
