"""Ratings in a real local store: once, for good, and hostile objects named and passed over."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.unit.ratings.made_ratings import BASELINE, MODEL, RUN, made_plan, pairs, prefers, rated, rating

from penstock.bundle.models import Run
from penstock.foundation.errors import UsageError
from penstock.ratings.kept import add_rating, answered, close, is_closed, open_plan, rated_run, read_plan, read_ratings
from penstock.ratings.turns import turns
from penstock.store.local import LocalStore


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    return LocalStore(tmp_path / "store")


def test_a_plan_is_written_once(store: LocalStore) -> None:
    assert read_plan(store, MODEL, RUN) is None
    first = made_plan(store)
    assert open_plan(store, MODEL, RUN, "another", pairs(2)) == first == read_plan(store, MODEL, RUN)
    assert made_plan(store, run="run-3").seed != first.seed


def test_nobody_rates_a_pair_twice(store: LocalStore) -> None:
    plan = made_plan(store)
    turn = turns(plan, "ann")[0]
    assert add_rating(store, plan, turn.name, rating(turn, "ann", "left", "sharper"))
    assert not add_rating(store, plan, turn.name, rating(turn, "ann", "right"))
    assert answered(store, MODEL, RUN, "ann") == {turn.name}
    assert answered(store, MODEL, RUN, "bob") == set()
    (kept,) = read_ratings(store, MODEL, RUN).ratings
    assert (kept.answer, kept.reason) == ("left", "sharper")


def test_closing_happens_once(store: LocalStore) -> None:
    made_plan(store)
    assert not is_closed(store, MODEL, RUN)
    assert close(store, MODEL, RUN, reason="enough", by="ann")
    assert not close(store, MODEL, RUN, reason="again", by="bob")
    closing = read_ratings(store, MODEL, RUN).closing
    assert closing is not None
    assert closing.by == "ann"


def test_what_is_no_rating_of_the_plan_is_named(store: LocalStore) -> None:
    plan = made_plan(store)
    rated(store, plan, "ann", prefers(True))
    folder = store.directory / "ratings" / MODEL / RUN / "answers"
    mine = sorted((folder / "ann").glob("case-*.json"))
    good = json.loads(mine[0].read_text())

    def write(name: str, content: str) -> None:
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.unlink(missing_ok=True)
        path.write_text(content)

    flipped = good | {"candidate": "left" if good["candidate"] == "right" else "right"}
    write(f"ann/{mine[0].name}", json.dumps(flipped))  # the other side than the lot says
    write(f"ann/{mine[1].name}", "[" * 100_000)
    write("ann/case-unknown.json", json.dumps(good))
    write(f"bob/{mine[2].name}", mine[2].read_text())  # another's
    write("<b>/x.json", "{}")
    write(f"ann/{mine[3].name}", " " * 20_000)
    found = read_ratings(store, MODEL, RUN)
    assert len(found.broken) == 6
    assert {one.rater for one in found.ratings} == {"ann"}
    assert sum(one.kind == "case" for one in found.ratings) == 2


@pytest.mark.parametrize("change", [{"run_id": "another"}, {"seed": "x"}, {"schema_version": 99}, {"pairs": []}])
def test_a_damaged_plan_is_an_error(store: LocalStore, change: dict[str, Any]) -> None:
    plan = made_plan(store)
    path = store.directory / "ratings" / MODEL / RUN / "plan.json"
    path.write_text(json.dumps(plan.model_dump(mode="json") | change))
    with pytest.raises(UsageError):
        read_ratings(store, MODEL, RUN)


def archived(store: LocalStore, run_id: str, before: str | None) -> Run:
    run = Run(penstock="1", run_id=run_id, regated_from=before)
    path = store.directory / "runs" / MODEL / run_id / "run.json"
    path.parent.mkdir(parents=True)
    path.write_text(run.model_dump_json())
    return run


def test_ratings_are_kept_under_the_first_run_of_the_outputs(store: LocalStore) -> None:
    archived(store, BASELINE, None)
    archived(store, RUN, BASELINE)
    third = archived(store, "run-3", RUN)
    assert rated_run(store, MODEL, third) == BASELINE
    assert rated_run(store, MODEL, Run(penstock="1", run_id="x")) == "x"
    with pytest.raises(UsageError, match="no run 'gone'"):
        rated_run(store, MODEL, Run(penstock="1", run_id="x", regated_from="gone"))
    circle = archived(store, "run-4", "run-4")
    with pytest.raises(UsageError, match="circle"):
        rated_run(store, MODEL, circle)


@pytest.mark.parametrize("name", ["a\\b", "x\x1by", "\udcff"])
def test_a_folder_that_no_rater_can_have_is_broken_and_stops_nobody(store: LocalStore, name: str) -> None:
    rated(store, made_plan(store), "ann", prefers(True))
    (store.directory / "ratings" / MODEL / RUN / "answers" / name).mkdir()
    found = read_ratings(store, MODEL, RUN)
    assert {one.rater for one in found.ratings} == {"ann"}
    (broken,) = found.broken
    assert broken.isprintable()
