"""Which cases stand for a slice, and what is said of them."""

from __future__ import annotations

from penstock.report.cases import CaseRow, number
from penstock.report.scenes import SCENE_PAIRS, SCENE_SLICES, scene_cases, scenes, slice_sizes
from penstock.report.thumbs import Thumb

THUMB = Thumb("AAAA", 3, 2)
BOTH = {"baseline": THUMB, "candidate": THUMB}


def case(name: str, *slices: str, change: float = 1.0, changed: str = "mae", status: str = "ok") -> CaseRow:
    numbers = [number("mae", 0.02, 0.004), number("iou", 0.9, None), number("mse", None, 0.1)]
    worse = max(0.0, change)
    return CaseRow(name, list(slices), status, "", numbers, worse, changed if worse else "", change, changed)


def test_each_slice_has_its_worst_cases_that_both_sides_answered() -> None:
    rows = [case("lost", "hair"), *(case(f"c{place}", "hair", "all") for place in range(6)), case("g", "glass")]
    chosen = scene_cases(rows, {row.name for row in rows} - {"lost"}, slice_sizes(rows))
    assert chosen == {"all": ["c0", "c1", "c2", "c3"], "glass": ["g"], "hair": ["c0", "c1", "c2", "c3"]}
    assert SCENE_PAIRS == 4
    assert scene_cases(rows, (), slice_sizes(rows)) == {}


def test_pairs_are_in_the_order_of_their_changes_also_where_all_improved() -> None:
    changes = {"a": -9.0, "b": -0.5, "c": -4.0, "d": -0.1, "e": -7.0}
    rows = [case(name, "hair", change=change) for name, change in changes.items()]
    assert scene_cases(rows, changes, slice_sizes(rows)) == {"hair": ["d", "b", "c", "e"]}
    worse = [case("f", "hair", change=0.2), case("g", "hair", change=0.0)]
    assert scene_cases([*rows, *worse], {*changes, "f", "g"}, slice_sizes(rows)) == {"hair": ["f", "g", "d", "b"]}


def test_the_largest_slices_are_shown() -> None:
    rows = [case(str(place), "z", *(f"s{number:02}" for number in range(SCENE_SLICES))) for place in range(3)]
    rows.append(case("more", "z"))
    chosen = scene_cases(rows, {"0", "1", "2", "more"}, slice_sizes(rows))
    assert list(chosen) == [*(f"s{number:02}" for number in range(SCENE_SLICES - 1)), "z"]


def test_sizes_are_of_the_whole_suite() -> None:
    rows = [case(str(place), *(f"s{number:02}" for number in range(SCENE_SLICES + 1))) for place in range(3)]
    beyond = [case(f"beyond-{place}", "s12") for place in range(1000)]
    gone = case("gone", "s12", status="missing")  # only the baseline has it
    sizes = slice_sizes([*rows, *beyond, gone])
    chosen = scene_cases(rows, {"0", "1", "2"}, sizes)
    assert list(chosen) == [*(f"s{number:02}" for number in range(SCENE_SLICES - 1)), "s12"]
    found = scenes(chosen, rows, dict.fromkeys("012", BOTH), sizes)
    assert [scene.cases for scene in found] == [3] * 11 + [1003]


def test_a_pair_says_what_became_of_its_telling_metric_and_where_its_case_is() -> None:
    rows = [
        case("a", "hair"),
        case("b", "hair", change=-1.0),
        case("c", "hair", changed="iou"),
        case("d", "hair", changed="mse"),
        case("e", "hair", change=0.0, changed=""),
    ]
    found = scenes({"hair": list("abcde"), "none": ["b"]}, rows, dict.fromkeys("abcde", BOTH), {"hair": 5})
    assert [(scene.name, scene.cases) for scene in found] == [("hair", 5), ("none", 0)]
    assert [(pair.place, pair.name, pair.words) for pair in found[0].pairs] == [
        (0, "a", "MAE 0.00400 → 0.02000"),
        (1, "b", "MAE 0.00400 → 0.02000"),
        (2, "c", "IoU 0.9000"),
        (3, "d", "MSE 0.100000 → –"),
        (4, "e", ""),
    ]


def test_what_could_not_be_drawn_is_left_out() -> None:
    rows = [case("a", "hair"), case("b", "hair", "glass")]
    thumbs = {"a": BOTH, "b": {"baseline": THUMB}}
    found = scenes({"glass": ["b"], "hair": ["a", "b"]}, rows, thumbs, slice_sizes(rows))
    assert [(scene.name, [pair.name for pair in scene.pairs]) for scene in found] == [("hair", ["a"])]
