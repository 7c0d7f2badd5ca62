"""What the gate would say now, of a run by its name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.unit.book.made_rated import RUN, rated_store, waiting_rule
from tests.unit.book.made_store import MODEL, add_run
from tests.unit.ratings.made_ratings import made_plan, prefers, rated

from penstock.bundle.directory import read_model, write_model
from penstock.bundle.verdict_record import FloorRecord, Verdict
from penstock.foundation.errors import UsageError
from penstock.ratings.counting import count
from penstock.ratings.kept import read_ratings
from penstock.ratings.records import RATINGS_FILE
from penstock.ratings.status import find_run, rating_status
from penstock.store.local import LocalStore


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    return rated_store(tmp_path)


def test_a_run_by_its_name(store: LocalStore) -> None:
    assert find_run(store, RUN) == find_run(store, f"{MODEL}/{RUN}") == (MODEL, RUN)
    for wrong in ("gone", "other/run-3", "../x", ""):
        with pytest.raises(UsageError):
            find_run(store, wrong)
    twin = store.directory / "runs" / "twin" / RUN
    twin.mkdir(parents=True)
    (twin / "run.json").write_text("{}")
    with pytest.raises(UsageError, match="several models"):
        find_run(store, RUN)


def test_before_and_after_people_have_rated(store: LocalStore) -> None:
    assert rating_status(store, MODEL, RUN).rules[0].reason == "0 of 40 ratings"
    plan = made_plan(store, 10, run=RUN)
    for number in range(4):
        rated(store, plan, f"r{number}", prefers(number % 2 == 0))
    found = rating_status(store, MODEL, RUN)
    assert found.rules[0].reason.startswith("preference is 0.5 of 40 ratings by 4 people")
    assert (found.rated_run, found.baseline, found.closing) == (RUN, "run-1", None)


def test_a_run_that_waits_for_nobody(store: LocalStore) -> None:
    with pytest.raises(UsageError, match="asks for ratings"):
        rating_status(store, MODEL, "run-1")


def test_a_slice_is_counted_as_the_gate_noted_it(tmp_path: Path) -> None:
    store = LocalStore(tmp_path / "store")
    slow = waiting_rule().model_copy(update={"slice": "men", "ratings_wanted": 10})
    add_run(tmp_path, store, 1, 7.2)
    waits: dict[str, Any] = {"baseline": ("run-1", 7.2), "verdict": "inconclusive"}
    add_run(tmp_path, store, 3, 7.1, **waits, rules=[waiting_rule(), slow])
    plan = made_plan(store, 10, run=RUN)
    for number in range(5):
        rated(store, plan, f"r{number}", prefers(True))
    assert [rule.n for rule in rating_status(store, MODEL, RUN).rules] == [50, 0]  # an older version noted none
    noted, _ = count(read_ratings(store, MODEL, RUN), rated_run_id=RUN, baseline="run-1", slices={"c-1": ["men"]})
    (store.directory / "runs" / MODEL / RUN / RATINGS_FILE).write_text(noted.model_dump_json())
    found = rating_status(store, MODEL, RUN)
    assert [(rule.slice, rule.n) for rule in found.rules] == [(None, 50), ("men", 5)]
    assert (found.wanted, found.enough) == (40, False)


def test_the_floors_rules_are_judged_apart_and_at_the_floors_level(tmp_path: Path) -> None:
    store = LocalStore(tmp_path / "store")
    add_run(tmp_path, store, 1, 7.2)
    rules = [
        waiting_rule().model_copy(update={"slice": "men", "ratings_wanted": 10, "origin": origin})
        for origin in ("policy", "floor")
    ]
    waits: dict[str, Any] = {"baseline": ("run-1", 7.2), "verdict": "inconclusive"}
    add_run(tmp_path, store, 3, 7.1, **waits, rules=rules)
    folder = store.directory / "runs" / MODEL / RUN
    verdict = read_model(folder / "verdict.json", Verdict)
    record = FloorRecord(sha256="0" * 64, level=0.01, min_cases=1)
    (folder / "verdict.json").unlink()
    write_model(folder / "verdict.json", verdict.model_copy(update={"floor": record}))
    plan = made_plan(store, 10, run=RUN)
    for number in range(6):
        rated(store, plan, f"r{number}", prefers(number % 2 == 0))
    cases = {pair.case: ["men"] for pair in plan.pairs}
    noted, _ = count(read_ratings(store, MODEL, RUN), rated_run_id=RUN, baseline="run-1", slices=cases)
    (folder / RATINGS_FILE).write_text(noted.model_dump_json())
    own, floors = (rule.reason for rule in rating_status(store, MODEL, RUN).rules)
    assert "90 % interval" in own
    assert "98 % interval" in floors
    assert "Holm" not in own + floors  # each is the only one about a slice
