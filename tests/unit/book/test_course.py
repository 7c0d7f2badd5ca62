"""A metric's course as it is drawn."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from tests.unit.book.made_store import rule_of

from penstock.book.course import HEIGHT, WIDTH, courses
from penstock.bundle.verdict_record import RuleResult, Verdict


def judged(*rules: RuleResult) -> Verdict:
    return Verdict(verdict="pass", level=0.05, rules=list(rules))


def test_values_intervals_and_margins() -> None:
    found = courses([("1.0", "a", judged(rule_of(7.0))), ("1.1", "b", judged(rule_of(7.2, 7.0)))])
    assert len(found) == 1
    first, second = found[0].marks
    assert (first.low, first.limit) == (None, None)
    assert second.limit is not None
    assert second.high is not None
    assert second.low is not None
    # y grows downwards: the worse bound lies above, the better value below
    assert second.limit < second.high < second.y < second.low
    assert first.y > second.y
    assert found[0].lines == [f"{first.x},{first.y} {second.x},{second.y}"]
    assert second.words == "1.1: 7.200, interval 7.100 to 7.300, allowed up to 7.400"
    assert found[0].bounds == []  # 9 is far off


def test_a_bound_that_is_near() -> None:
    found = courses([("1.0", "a", judged(rule_of(7.0))), ("1.1", "b", judged(rule_of(8.0, 7.0)))])
    assert [words for _, words in found[0].bounds] == ["9.000"]


def test_a_higher_value_that_is_better_may_fall_by_the_margin() -> None:
    rule = rule_of(7.2, 7.0, better="higher", maximum=None)
    mark = courses([("1.0", "a", judged(rule))])[0].marks[0]
    assert mark.limit is not None
    assert mark.limit > mark.y
    assert "allowed down to 6.600" in mark.words


def test_gaps_break_the_line() -> None:
    verdicts = [judged(rule_of(7.0)), None, judged(rule_of(7.1)), judged(), judged(rule_of(7.2)), judged(rule_of(7.3))]
    found = courses([(str(at), str(at), verdict) for at, verdict in enumerate(verdicts)])[0]
    assert len(found.gaps) == 2
    assert [len(line.split()) for line in found.lines] == [2]


def test_another_network_breaks_the_line() -> None:
    rules = [rule_of(7.0, extractor=name) for name in ("a@1", "a@1", "b@1", "b@1")]
    found = courses([(str(at), str(at), judged(rule)) for at, rule in enumerate(rules)])[0]
    assert [len(line.split()) for line in found.lines] == [2, 2]


def test_without_verdicts_there_is_nothing_to_draw() -> None:
    assert courses([]) == []
    assert courses([("1.0", "a", None)]) == []
    assert courses([("1.0", "a", judged(rule_of(7.0, candidate=None)))]) == []


finite = st.floats(-1e100, 1e100)


@given(st.lists(st.tuples(finite, st.none() | finite), min_size=1, max_size=6))
def test_everything_lies_on_the_drawing(values: list[tuple[float, float | None]]) -> None:
    found = courses([("1", "r", judged(rule_of(value, baseline))) for value, baseline in values])[0]
    for mark in found.marks:
        assert 0 <= mark.x <= WIDTH
        assert all(-1 <= y <= HEIGHT + 1 for y in (mark.y, mark.low, mark.high, mark.limit) if y is not None)
