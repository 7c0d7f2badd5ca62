"""Which runs wait, and which of their answers make a pair."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.book.made_rated import RUN, rated_store, waiting_rule
from tests.unit.book.made_store import MODEL, add_run

from penstock.book.rating_desk import RatingDesk, rated_pairs
from penstock.book.shelf import Shelf
from penstock.ratings.kept import close
from penstock.store.local import LocalStore
from penstock.store.store import NotStoredError


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    return rated_store(tmp_path)


def waiting(store: LocalStore) -> list[str]:
    return [run.card.run_id for run in RatingDesk(Shelf(store)).waiting("ann")]


def test_it_waits_until_it_is_closed(store: LocalStore) -> None:
    assert waiting(store) == [RUN]
    close(store, MODEL, RUN, reason="enough", by="ann")
    assert waiting(store) == []


def test_it_waits_until_a_run_over_its_outputs_is_settled(store: LocalStore, tmp_path: Path) -> None:
    more = {"baseline": ("run-1", 7.2), "rules": [waiting_rule()]}
    add_run(tmp_path, store, 4, 7.1, verdict="inconclusive", regated_from=RUN, **more)  # type: ignore[arg-type]
    assert waiting(store) == [RUN]
    add_run(tmp_path, store, 5, 7.1, verdict="fail", regated_from="run-4", baseline=("run-1", 7.2))
    assert waiting(store) == []


def test_ratings_against_an_older_release_are_asked_for_no_more(store: LocalStore, tmp_path: Path) -> None:
    add_run(tmp_path, store, 6, 7.0, baseline=("run-1", 7.2))
    assert waiting(store) == []


def test_pairs_have_the_same_name_on_both_sides(store: LocalStore) -> None:
    found = rated_pairs(Shelf(store), MODEL, RUN, "run-1")
    assert [(pair.case, pair.candidate, pair.released, pair.released_run) for pair in found] == [
        (case, f"outputs/{case}/output.mp4", f"outputs/{case}/output.mp4", "run-1") for case in ("c-1", "c-2")
    ]
    with pytest.raises(NotStoredError):
        rated_pairs(Shelf(store), MODEL, RUN, "gone")


def test_the_next_pair(store: LocalStore) -> None:
    desk = RatingDesk(Shelf(store))
    first = desk.next_pair(MODEL, RUN, "ann")
    assert first is not None
    assert (first.position, first.pairs) == (0, 5)
    assert desk.answer(MODEL, RUN, "ann", 0, "left", "")
    assert not desk.answer(MODEL, RUN, "ann", 0, "right", "")
    again = RatingDesk(Shelf(store)).next_pair(MODEL, RUN, "ann")
    assert again is not None
    assert again.position == 1
    with pytest.raises(NotStoredError):
        desk.turn(MODEL, RUN, "ann", 5)
    with pytest.raises(NotStoredError):
        desk.next_pair(MODEL, "run-1", "ann")


def test_it_waits_if_a_later_run_over_its_outputs_is_the_first_to_ask_for_ratings(tmp_path: Path) -> None:
    store = LocalStore(tmp_path / "store")
    add_run(tmp_path, store, 1, 7.2)
    add_run(tmp_path, store, 3, 7.1, baseline=("run-1", 7.2), verdict="inconclusive")
    assert waiting(store) == []
    asks = {"baseline": ("run-1", 7.2), "rules": [waiting_rule()]}
    add_run(tmp_path, store, 4, 7.1, verdict="inconclusive", regated_from="run-3", **asks)  # type: ignore[arg-type]
    assert waiting(store) == ["run-3"]
    assert RatingDesk(Shelf(store)).next_pair(MODEL, "run-3", "ann") is not None
