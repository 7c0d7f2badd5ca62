"""Whole bisections over made-up commits: real bundles and the real gate, but no model is run."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.bisect.histories import CASES, Values, commits, measurements, values, write_bundle
from tests.unit.bisect.test_fixed_suite import lay

from penstock.bisect.bisection import Bisector, Failed, Watcher
from penstock.bisect.commits import Commit
from penstock.bisect.fixed_suite import Reference, load_reference
from penstock.bisect.library import Library
from penstock.bisect.question import question
from penstock.bisect.saved_bisection import Bisection, BisectStep
from penstock.bundle.directory import Bundle
from penstock.bundle.models import Resamples
from penstock.foundation.errors import Interrupted, UsageError, WorldError

WELL, WORSE = values(100.0, 20.0), values(80.0, 20.0)
CRASHED: Values = values(100.0, lost=CASES[:3])


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> Reference:
    return load_reference(lay(tmp_path_factory.mktemp("reference") / "bad"))


@dataclass
class Model:
    """A history: what each commit's values are, or why it cannot be run."""

    history: Sequence[Values | Failed]
    folder: Path
    reference: Reference
    suites: dict[int, str] = field(default_factory=dict)
    ran: list[int] = field(default_factory=list)
    interrupt_at: int = -1

    @property
    def row(self) -> list[Commit]:
        return commits(len(self.history))

    def run(self, commit: Commit) -> Bundle | Failed:
        number = self.row.index(commit)
        if len(self.ran) == self.interrupt_at:
            raise Interrupted("the run was interrupted")
        self.ran.append(number)
        found = self.history[number]
        if isinstance(found, Failed):
            return found
        suite = self.suites.get(number, next(iter(self.reference.suite_digests)))
        path = self.folder / "runs" / f"run-{number}" / "bundle"
        return write_bundle(path, commit.hash, measurements("sharpness", found), suite=suite)

    def bisect(
        self, margin: str = "10%", *, look: bool = True, retry: bool = False, watcher: Watcher | None = None
    ) -> Bisection:
        library = Library(
            self.reference, "sharpness", runs=self.folder / "runs", store=None, folder=self.folder / "kept", image=False
        )
        if look:
            library.look()
        bisector = Bisector(
            self.row,
            question(None, Path(), "sharpness", slice_name=None, margin=margin),
            self.reference,
            library,
            self.run,
            repository="https://example.org/tiny",
            record=self.folder / "bisect.json",
            retry=retry,
            watcher=watcher,
        )
        return bisector.find()


@pytest.fixture
def model(tmp_path: Path, reference: Reference) -> Callable[..., Model]:
    return lambda *history: Model(history, tmp_path, reference)


def numbers(records: Sequence[object]) -> list[str]:
    return [str(getattr(record, "subject")) for record in records]  # noqa: B009


def test_found_in_few_runs_and_written_down(model: Callable[..., Model], tmp_path: Path) -> None:
    made = model(*[WELL] * 11, *[WORSE] * 6)
    found = made.bisect()
    assert found.outcome == "found"
    assert found.first_bad is not None
    assert found.before is not None
    assert (found.before.subject, found.first_bad.subject) == ("commit 10", "commit 11")
    assert len(made.ran) <= 2 + 4
    assert (found.runs, found.reused, found.commits) == (len(made.ran), 0, 16)
    step = next(step for step in found.steps if step.commit == found.first_bad)
    assert step.value == pytest.approx(80)
    assert step.against_good is not None
    assert step.against_good.change == pytest.approx(-20)
    assert step.against_good.interval is not None
    assert Bisection.model_validate_json((tmp_path / "bisect.json").read_text(encoding="utf-8")) == found
    assert json.loads(found.model_dump_json())["steps"][0]["answer"] == "good"


def test_again_everything_is_reused(model: Callable[..., Model]) -> None:
    made = model(*[WELL] * 5, *[WORSE] * 5)
    first = made.bisect()
    ran = list(made.ran)
    again = made.bisect()
    assert made.ran == ran
    assert (again.runs, again.first_bad) == (0, first.first_bad)
    assert {step.origin for step in again.steps} <= {f"run run-{number}" for number in ran}


def test_interrupted_it_goes_on_where_it_was(model: Callable[..., Model]) -> None:
    made = model(*[WELL] * 20, *[WORSE] * 13)
    made.interrupt_at = 4
    with pytest.raises(Interrupted):
        made.bisect()
    before = list(made.ran)
    made.interrupt_at = -1
    found = made.bisect()
    assert found.first_bad is not None
    assert found.first_bad.subject == "commit 20"
    assert len(set(made.ran)) == len(made.ran)
    assert made.ran[: len(before)] == before


@pytest.mark.slow
def test_commits_that_cannot_be_run_are_skipped_and_not_tried_again_unless_told(model: Callable[..., Model]) -> None:
    broken = Failed("build: no such file", 4)
    made = model(WELL, WELL, broken, broken, broken, WORSE, WORSE)
    found = made.bisect()
    assert (found.outcome, found.first_bad) == ("suspects", None)
    assert numbers(found.suspects) == ["commit 2", "commit 3", "commit 4", "commit 5"]
    assert found.before is not None
    assert found.before.subject == "commit 1"
    assert {step.why for step in found.steps if step.answer == "skipped"} == {"build: no such file"}
    ran = list(made.ran)
    assert made.bisect().suspects == found.suspects
    assert made.ran == ran
    made.history = [WELL, WELL, WELL, WORSE, WORSE, WORSE, WORSE]
    mended = made.bisect(retry=True)
    assert mended.first_bad is not None
    assert mended.first_bad.subject == "commit 3"


def test_a_commit_that_lost_values_is_not_blamed_for_what_came_later(model: Callable[..., Model]) -> None:
    found = model(WELL, WELL, CRASHED, WELL, WORSE).bisect()
    assert found.first_bad is not None
    assert found.first_bad.subject == "commit 4"


def test_losing_values_is_found_if_that_is_what_the_bad_commit_does(model: Callable[..., Model]) -> None:
    found = model(WELL, WELL, WELL, CRASHED, CRASHED).bisect()
    assert found.first_bad is not None
    assert found.first_bad.subject == "commit 3"
    assert found.steps[-1].value is None or found.steps[1].value is None


def test_another_suite_is_never_compared(model: Callable[..., Model]) -> None:
    made = model(WELL, WELL, WORSE, WORSE, WORSE)
    made.suites = {1: "0" * 64, 2: "0" * 64}
    found = made.bisect()
    assert numbers(found.suspects) == ["commit 1", "commit 2", "commit 3"]
    assert {step.why for step in found.steps if step.answer == "skipped"} == {"it was measured with another suite"}


def test_nothing_to_find_and_nothing_to_tell(model: Callable[..., Model]) -> None:
    better = model(WELL, WORSE, values(105.0, 20.0)).bisect()
    assert (better.outcome, better.runs) == ("not worse", 2)


def test_two_noisy_ends_cannot_be_told_apart(model: Callable[..., Model]) -> None:
    noisy = {
        case: value + (30 if number % 2 else -30) for number, (case, value) in enumerate(values(90.0).items()) if value
    }
    made = model(values(100.0), WELL, noisy)
    assert made.bisect().outcome == "inconclusive"
    assert made.ran == [0, 2]


def test_neighbours(model: Callable[..., Model]) -> None:
    found = model(WELL, WORSE).bisect()
    assert found.first_bad is not None
    assert (found.first_bad.subject, found.runs) == ("commit 1", 2)


@pytest.mark.parametrize(
    ("history", "error", "message"),
    [
        ((Failed("check: no", 2), WELL, WORSE), UsageError, "the good commit cannot be measured: check: no"),
        ((WELL, WELL, Failed("infer: died", 4)), WorldError, "the bad commit cannot be measured: infer: died"),
        ((CRASHED, WELL, WORSE), UsageError, "nothing can be compared with the good commit: no value of sharpness"),
    ],
)
def test_both_ends_must_be_measurable(
    model: Callable[..., Model], history: tuple[Values | Failed, ...], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        model(*history).bisect()


def test_a_good_commit_that_breaks_the_rule_itself(tmp_path: Path, reference: Reference) -> None:
    made = Model([WELL, WORSE], tmp_path, reference)
    library = Library(reference, "sharpness", runs=tmp_path / "none", store=None, folder=tmp_path / "kept", image=False)
    asked = question(
        reference.contract.policy.model_validate({"rules": [{"metric": "sharpness", "min": 500.0}]}),
        Path(),
        "sharpness",
        slice_name=None,
    )
    bisector = Bisector(made.row, asked, reference, library, made.run, repository="x", record=tmp_path / "bisect.json")
    with pytest.raises(UsageError, match=r"the good commit breaks the rule itself: .*below the minimum of 500"):
        bisector.find()


def test_values_of_the_whole_suite_by_their_resamples(tmp_path: Path, reference: Reference) -> None:
    """FID and its like have one value, and resamples of the cases: both sides drew the same."""

    def write(commit: Commit) -> Bundle:
        number = int(commit.subject.split()[1])
        value = 10.0 if number < 3 else 30.0
        lines = measurements("fid", {"*": value}, "features@sha256:1")
        lines = [
            line.model_copy(
                update={"resamples": Resamples(cases=24, key="k", values=[value + 0.01 * (i % 7) for i in range(200)])}
            )
            for line in lines
        ]
        suite = next(iter(reference.suite_digests))
        return write_bundle(tmp_path / "runs" / f"run-{number}" / "bundle", commit.hash, lines, suite=suite)

    asked = question(None, Path(), "fid", slice_name=None, margin="10%")
    library = Library(reference, "fid", runs=tmp_path / "none", store=None, folder=tmp_path / "kept", image=False)
    bisector = Bisector(commits(6), asked, reference, library, write, repository="x", record=tmp_path / "bisect.json")
    found = bisector.find()
    assert found.first_bad is not None
    assert found.first_bad.subject == "commit 3"


class Told(Watcher):
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.left: list[int] = []
        self.steps: list[BisectStep] = []

    def begins(self, bisection: Bisection, commit: object, position: int, runs_left: int) -> None:
        self.left.append(runs_left)

    def ends(self, step: BisectStep) -> None:
        self.steps.append(step)


def test_progress_says_how_much_is_left(model: Callable[..., Model]) -> None:
    told = Told()
    found = model(*[WELL] * 40, *[WORSE] * 24).bisect(watcher=told)
    assert told.left == sorted(told.left, reverse=True)
    assert len(told.left) <= told.left[0] <= 2 + 6
    assert told.left[-1] == 1
    assert told.steps == found.steps


@pytest.mark.slow
@settings(max_examples=12, deadline=None)
@given(
    st.integers(1, 25).flatmap(
        lambda last: st.tuples(st.integers(1, last), st.lists(st.integers(0, 9), min_size=last, max_size=last))
    )
)
def test_whatever_the_history_the_first_bad_commit_is_among_the_suspects(
    reference: Reference, drawn: tuple[int, list[int]]
) -> None:
    first_bad, kinds = drawn
    history: list[Values | Failed] = [WELL]
    for number, kind in enumerate(kinds, 1):
        fine = WORSE if number >= first_bad else WELL
        broken = kind < 3 and number < len(kinds)
        history.append((Failed("no", 4), CRASHED, fine)[kind] if broken else fine)
    with tempfile.TemporaryDirectory() as folder:
        found = Model(history, Path(folder), reference).bisect()
    suspects = [found.first_bad] if found.first_bad is not None else found.suspects
    assert f"commit {first_bad}" in numbers(suspects)
    skipped = {step.commit.subject for step in found.steps if step.answer == "skipped"}
    assert set(numbers(suspects[:-1])) <= skipped
