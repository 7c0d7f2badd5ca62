"""The report says what people said, and of nobody's name."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.ratings.made_ratings import made_plan, pairs, prefers, rated, rating
from tests.unit.report.judged_pairs import HOSTILE, make_bundle
from tests.unit.report.read_pages import read

from penstock.bundle.directory import Bundle, write_model
from penstock.bundle.models import Run
from penstock.contract.policy import Policy, Rule
from penstock.gating.gate import gate
from penstock.ratings.counting import counted_ratings
from penstock.ratings.kept import add_rating
from penstock.ratings.records import RATINGS_FILE
from penstock.ratings.turns import turns
from penstock.report.page import write_report
from penstock.report.rating_section import rating_section
from penstock.store.local import LocalStore

MODEL, RULE = "sonic-lite", Rule(metric="preference", min=0.35, ratings=10)
LOST = {"c-2", "c-4"}
SLICES = {"c-1": ["men"], "c-2": ["men"], "c-3": ["women"]}


@pytest.fixture
def bundle(tmp_path: Path) -> Bundle:
    """Six raters; the candidate loses two of four cases, one of them by less; a seventh rater is careless."""
    store = LocalStore(tmp_path / "store")
    plan = made_plan(store, 4)
    for number in range(6):
        name = f"person-{number}"
        for turn in turns(plan, name):
            loses = turn.pair.case == "c-2" or (turn.pair.case == "c-4" and number < 4)
            answer = prefers(not loses)(turn)
            said = f"teeth {HOSTILE} {'x' * 400}" if loses and number == 0 else ""
            assert add_rating(store, plan, turn.name, rating(turn, name, answer, said))
    rated(store, plan, "careless", lambda _: "left")
    made = make_bundle(tmp_path / "bundle", "new", {one.case: 8.0 for one in pairs(4)})
    record, lines = counted_ratings(store, MODEL, Run(penstock="1", run_id="run-2"), "run-1", SLICES)
    write_model(made.path / RATINGS_FILE, record)
    made.write_measurements([*made.measurements(), *lines])
    policy = Policy(rules=[RULE, RULE.model_copy(update={"slice": "men"})])
    made.write_verdict(gate(made.measurements(), [], policy, candidate_name="new", baseline_name="old"))
    return made


def test_what_is_said(bundle: Bundle) -> None:
    found = rating_section(bundle, bundle.verdict(), ["c-4", "c-1", "c-2", "c-3"])
    assert found is not None
    whole, men, women = found.rows
    assert (whole.name, whole.ratings, whole.raters, whole.cases) == (None, 24, 6, 4)
    assert whole.share == f"{14 / 24:.2f}"
    low, high = (float(end) for end in whole.interval.split(" … "))
    assert 0 <= low < 14 / 24 < high <= 1
    assert (men.name, men.share, men.ratings, men.verdict) == ("men", "0.50", 12, "inconclusive")
    assert (women.name, women.share, women.verdict, women.interval) == ("women", "1.00", "", "")
    clearest, other = found.lost
    assert (clearest.case, clearest.place) == ("c-2", 2)
    assert clearest.votes == "6 for the released model, 0 the same, 0 for the candidate"
    assert other.votes == "4 for the released model, 0 the same, 2 for the candidate"
    assert (other.place, len(clearest.reasons[0])) == (0, 200)
    assert (found.disqualified, found.raters[0].state, len(found.raters)) == (1, "disqualified", 7)
    assert found.rated_run == "run-2"


def test_the_page_names_nobody_and_links_to_the_pairs(bundle: Bundle) -> None:
    write_report(bundle, None)
    html, tags = read(bundle.report / "index.html")
    part = html[html.index('id="ratings"') : html.index('id="metrics"')]
    assert "7 raters, 1 disqualified by catch pairs" in part
    assert "person-" not in html
    assert "careless" not in html
    assert HOSTILE not in html
    assert tags.running == 1
    assert part.count("data-case=") == 2


def test_a_pair_that_is_not_on_the_page_has_no_link(bundle: Bundle) -> None:
    found = rating_section(bundle, bundle.verdict(), [])
    assert found is not None
    assert [pair.place for pair in found.lost] == [None, None]


def test_without_ratings_or_a_verdict_there_is_no_such_part(bundle: Bundle, pair: tuple[Bundle, Bundle]) -> None:
    assert rating_section(bundle, None, []) is None
    assert rating_section(pair[0], pair[0].verdict(), []) is None
    write_report(*pair)
    assert 'id="ratings"' not in read(pair[0].report / "index.html")[0]


def test_nobody_has_rated_yet(bundle: Bundle, tmp_path: Path) -> None:
    store = LocalStore(tmp_path / "empty")
    record, lines = counted_ratings(store, MODEL, Run(penstock="1", run_id="new"), "run-1", SLICES)
    write_model(bundle.path / RATINGS_FILE, record)
    bundle.write_measurements([line for line in bundle.measurements() if line.ratings is None] + lines)
    found = rating_section(bundle, bundle.verdict(), [])
    assert found is not None
    assert [(row.share, row.interval, row.ratings) for row in found.rows] == [("–", "", 0)]
    assert (found.lost, found.raters) == ([], [])
