"""Commits and bundles that are made up: what a bisection sees of a model, without running one."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path

from penstock import __version__
from penstock.bisect.commits import Commit
from penstock.bundle.directory import Bundle
from penstock.bundle.machine import this_machine
from penstock.bundle.models import Image, Invocation, Machine, Measurement, Run, Source, StepRecord, SuiteRecord
from penstock.gating.measurements import MeasurementSource as Side

CASES = tuple(f"case-{number:02}" for number in range(24))
SUITE = "5" * 64
Values = Mapping[str, float | None]


def values(mean: float, spread: float = 0.0, lost: Sequence[str] = ()) -> dict[str, float | None]:
    """One value a case around ``mean``; the cases' deviations add up to nothing."""
    middle = (len(CASES) - 1) / 2
    return {
        case: None if case in lost else mean + spread * (number - middle) / middle for number, case in enumerate(CASES)
    }


def measurements(metric: str, found: Values, extractor: str | None = None) -> list[Measurement]:
    return [
        Measurement(
            case=case, metric=metric, value=value, error=None if value is not None else "no face", extractor=extractor
        )
        for case, value in found.items()
    ]


def side(name: str, metric: str, found: Values) -> Side:
    return Side(name, measurements(metric, found), tuple(found))


def commits(count: int) -> list[Commit]:
    """A straight row, the oldest first."""
    hashes = [hashlib.sha1(f"commit {number}".encode(), usedforsecurity=False).hexdigest() for number in range(count)]
    return [
        Commit(
            oid, tuple(hashes[max(number - 1, 0) : number]), "Ann", "ann@example.org", "2024-05-01", f"commit {number}"
        )
        for number, oid in enumerate(hashes)
    ]


def write_bundle(
    path: Path,
    commit: str,
    lines: Sequence[Measurement],
    *,
    suite: str = SUITE,
    extractors: Mapping[str, str] | None = None,
    machine: Machine | None = None,
    version: str = __version__,
    kind: str = "process",
    steps: Sequence[str] = ("clone", "measure"),
    run_id: str = "a-run",
) -> Bundle:
    """A bundle as a run leaves it after *measure*."""
    bundle = Bundle(path)
    path.mkdir(parents=True)
    cases = sorted({line.case for line in lines if line.case != "*"})
    image = Image.model_validate({"kind": kind, "digest": "sha256:" + "0" * 64})
    where = Source(url="x", revision=commit, commit=commit, committer_date="", version="0", tree="0" * 64)
    bundle.update_run(
        Run(
            penstock=version,
            run_id=run_id,
            model="tiny",
            source=where,
            image=image,
            suite=SuiteRecord(digest=suite, cases=len(cases)),
            extractors=dict(extractors or {}),
            machine=machine or this_machine(),
            steps=[StepRecord(name=name, status="done", started="", seconds=0.0) for name in steps],
        )
    )
    bundle.write_invocations([Invocation(case=case, status="ok") for case in cases])
    bundle.write_measurements(lines)
    return bundle
