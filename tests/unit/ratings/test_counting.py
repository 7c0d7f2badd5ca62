"""Who counts, and what comes of it."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.ratings.made_ratings import BASELINE, MODEL, RUN, made_plan, prefers, rated

from penstock.bundle.models import Run
from penstock.ratings.counting import counted_ratings
from penstock.ratings.kept import close
from penstock.store.local import LocalStore

CANDIDATE = Run(penstock="1", run_id=RUN)


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    return LocalStore(tmp_path / "store")


def test_nobody_has_rated(store: LocalStore) -> None:
    record, (measured,) = counted_ratings(store, MODEL, CANDIDATE, BASELINE)
    assert (record.count.counted, measured.value, measured.ratings) == (0, None, record.count)
    assert measured.error == "there are no ratings that count yet"


def test_the_careful_count_and_the_careless_do_not(store: LocalStore) -> None:
    plan = made_plan(store)
    rated(store, plan, "ann", prefers(True))
    rated(store, plan, "bob", prefers(False))
    rated(store, plan, "cat", prefers(True))
    rated(store, plan, "careless", lambda _: "left")
    rated(store, plan, "late", prefers(False), only=["case"])
    record, (measured,) = counted_ratings(store, MODEL, CANDIDATE, BASELINE)
    assert {rater.rater: rater.state for rater in record.raters} == {
        "ann": "counts",
        "bob": "counts",
        "careless": "disqualified",
        "cat": "counts",
        "late": "waits",
    }
    assert measured.value == pytest.approx(2 / 3)
    assert measured.standard_error is not None
    assert measured.standard_error.freedom == 6
    count = record.count
    assert (count.counted, count.raters, count.cases, count.disqualified, count.waiting) == (15, 3, 5, 1, 5)
    assert len(record.ratings) == 5 * 5 + 4 * 3


def test_ratings_of_another_comparison_do_not_count(store: LocalStore) -> None:
    rated(store, made_plan(store), "ann", prefers(True))
    record, (measured,) = counted_ratings(store, MODEL, CANDIDATE, "run-7")
    assert (record.count.counted, record.count.elsewhere, measured.value) == (0, 5, None)


def test_one_rater_alone_has_no_error(store: LocalStore) -> None:
    rated(store, made_plan(store), "ann", prefers(True))
    close(store, MODEL, RUN, reason="enough", by="ann")
    record, (measured,) = counted_ratings(store, MODEL, CANDIDATE, BASELINE)
    assert (measured.value, measured.standard_error, record.count.closed) == (1.0, None, True)


def test_a_share_of_each_slice(store: LocalStore) -> None:
    plan = made_plan(store, 4)
    bad = {"c-1", "c-2"}
    for rater in ("ann", "bob"):
        rated(store, plan, rater, lambda turn: prefers(turn.pair.case not in bad)(turn))
    slices = {"c-1": ["men", "dark"], "c-2": ["men"], "c-3": ["women"], "c-4": [], "c-9": ["not rated"]}
    record, (whole, *parts) = counted_ratings(store, MODEL, CANDIDATE, BASELINE, slices)
    assert (whole.slice, whole.value) == (None, 0.5)
    assert {line.slice: line.value for line in parts} == {"dark": 0.0, "men": 0.0, "women": 1.0}
    men = next(line for line in parts if line.slice == "men")
    assert men.ratings is not None
    assert (men.ratings.counted, men.ratings.cases, men.ratings.raters) == (4, 2, 2)
    assert record.slices == {"c-1": ["dark", "men"], "c-2": ["men"], "c-3": ["women"], "c-9": ["not rated"]}
    assert record.scores()["ann", "c-1"] == 0.0
    assert len(record.scores()) == whole.ratings.counted == 8  # type: ignore[union-attr]
