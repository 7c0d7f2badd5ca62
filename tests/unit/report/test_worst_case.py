"""Which case a person is shown first."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.report.case_values import result
from tests.unit.report.shown_pairs import FELL, judge, write_side

from penstock.bundle.directory import Bundle
from penstock.bundle.models import Measurement
from penstock.report.run_records import read_side
from penstock.report.worst_case import OF_NO_CASE, WorstCase, worst_case

BEFORE: dict[str, float | None] = {"a": 7.0, "b": 7.0, "c": 7.0}


def answered(path: Path, version: str, values: dict[str, float | None]) -> Bundle:
    bundle = write_side(path, version, values)
    for case, value in values.items():
        if value is not None:
            (bundle.outputs / case).mkdir(parents=True)
            (bundle.outputs / case / "output.mp4").write_bytes(b"video")
    return bundle


def worst_of(new: Bundle, old: Bundle | None) -> WorstCase | None:
    return worst_case(read_side(new), read_side(old) if old else None, new.verdict())


def test_the_one_that_worsened_most_and_its_rule(tmp_path: Path) -> None:
    new = answered(tmp_path / "new", "2", {"a": 7.5, "b": 9.5, "c": 6.0})
    judge(new, result(metric="lse_d", verdict="pass", limit="≤ 20"), FELL)
    worst = worst_of(new, answered(tmp_path / "old", "1", BEFORE))
    assert worst is not None
    assert (worst.case.name, worst.limit, sorted(worst.answers)) == ("b", "≤ 9", ["baseline", "candidate"])
    assert worst.sentence == "LSE-D rose from 7 to 9.5"
    assert worst.number is not None
    assert (worst.number.baseline, worst.number.candidate) == ("7.000", "9.500")


def test_a_case_without_an_answer_is_worse_than_any(tmp_path: Path) -> None:
    new = answered(tmp_path / "new", "2", {"a": 30.0, "b": None, "c": 7.0})
    judge(new, FELL)
    worst = worst_of(new, answered(tmp_path / "old", "1", BEFORE))
    assert worst is not None
    assert (worst.case.name, list(worst.answers)) == ("b", ["baseline"])
    assert worst.number is not None
    assert worst.number.candidate == "–"


def test_one_that_shows_nothing_on_either_side_is_passed_over(tmp_path: Path) -> None:
    new = answered(tmp_path / "new", "2", {"a": 7.5, "b": None, "c": 7.0})
    judge(new, FELL)
    worst = worst_of(new, None)
    assert worst is not None
    assert worst.case.name == "a"


def test_nothing_to_see(tmp_path: Path) -> None:
    new = answered(tmp_path / "new", "2", {"a": None})
    judge(new, FELL)
    assert worst_of(new, None) is None


def test_a_rule_that_no_case_has_a_value_of_says_so(tmp_path: Path) -> None:
    new = answered(tmp_path / "new", "2", {"a": 7.5, "b": 8.0, "c": 7.0})
    new.write_measurements([*new.measurements(), Measurement(case="*", metric="fid", value=9.0)])
    judge(new, result(metric="fid", reason="FID rose from 1 to 9"), FELL.model_copy(update={"verdict": "pass"}))
    worst = worst_of(new, answered(tmp_path / "old", "1", BEFORE))
    assert worst is not None
    assert worst.case.name == "b"
    assert worst.sentence == f"FID rose from 1 to 9{OF_NO_CASE}"


def test_a_rule_whose_cases_are_all_alike_has_values_all_the_same(tmp_path: Path) -> None:
    new = answered(tmp_path / "new", "2", {"a": 9.0})
    judge(new, FELL)
    worst = worst_of(new, None)
    assert worst is not None
    assert worst.sentence == "LSE-D rose from 7 to 9.5"


@pytest.mark.parametrize(("others", "shown"), [(True, "lse_d"), (False, "latency")])
def test_of_an_accepted_release_time_counts_only_where_nothing_else_does(
    tmp_path: Path, others: bool, shown: str
) -> None:
    new, old = (answered(tmp_path / name, name, {"a": 7.1, "b": 7.0}) for name in ("new", "old"))
    for bundle, seconds in ((new, 9.0), (old, 1.0)):
        bundle.write_measurements([*bundle.measurements(), Measurement(case="b", metric="latency", value=seconds)])
    rules = [result(metric="latency", verdict="pass", better="lower")]
    rules += [FELL.model_copy(update={"verdict": "pass"})] if others else []
    judge(new, *rules, verdict="pass")
    worst = worst_of(new, old)
    assert worst is not None
    assert worst.number is not None
    assert worst.number.metric == shown
    assert "hold" in worst.sentence
