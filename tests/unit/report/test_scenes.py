"""Which cases stand for a slice, and what is said of them."""

from __future__ import annotations

from penstock.report.cases import CaseRow, number
from penstock.report.scenes import SCENE_PAIRS, SCENE_SLICES, scene_cases, scenes
from penstock.report.stills import Thumb

THUMB = Thumb("AAAA", 3, 2)
BOTH = {"baseline": THUMB, "candidate": THUMB}


def case(name: str, *slices: str, telling: str = "mae") -> CaseRow:
    numbers = [number("mae", 0.02, 0.004), number("iou", 0.9, None)]
    return CaseRow(name, list(slices), "ok", "", numbers, 1.0 if telling else 0.0, telling)


def test_each_slice_has_its_worst_cases_that_both_sides_answered() -> None:
    rows = [case("lost", "hair"), *(case(f"c{place}", "hair", "all") for place in range(6)), case("g", "glass")]
    chosen = scene_cases(rows, {row.name for row in rows} - {"lost"})
    assert chosen == {"all": ["c0", "c1", "c2", "c3"], "glass": ["g"], "hair": ["c0", "c1", "c2", "c3"]}
    assert SCENE_PAIRS == 4
    assert scene_cases(rows, ()) == {}


def test_the_largest_slices_are_shown() -> None:
    rows = [case(str(place), "z", *(f"s{number:02}" for number in range(SCENE_SLICES))) for place in range(3)]
    chosen = scene_cases([*rows, case("more", "z")], {"0", "1", "2", "more"})
    assert list(chosen) == [*(f"s{number:02}" for number in range(SCENE_SLICES - 1)), "z"]


def test_a_pair_says_what_became_of_its_telling_metric_and_where_its_case_is() -> None:
    rows = [case("a", "hair"), case("b", "hair", telling=""), case("c", "hair", telling="iou")]
    found = scenes({"hair": ["a", "b", "c"], "none": ["b"]}, rows, {"a": BOTH, "b": BOTH, "c": BOTH})
    assert [(scene.name, scene.cases) for scene in found] == [("hair", 3), ("none", 0)]
    assert [(pair.place, pair.name, pair.words) for pair in found[0].pairs] == [
        (0, "a", "MAE 0.00400 → 0.02000"),
        (1, "b", ""),
        (2, "c", ""),
    ]


def test_what_could_not_be_drawn_is_left_out() -> None:
    rows = [case("a", "hair"), case("b", "hair", "glass")]
    found = scenes({"glass": ["b"], "hair": ["a", "b"]}, rows, {"a": BOTH, "b": {"baseline": THUMB}})
    assert [(scene.name, [pair.name for pair in scene.pairs]) for scene in found] == [("hair", ["a"])]
