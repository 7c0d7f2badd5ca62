"""Which cases stand first, and how their numbers look."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.report.case_values import BEFORE, bundle, result, values

from penstock.bundle.directory import Bundle
from penstock.bundle.models import Invocation, Measurement
from penstock.bundle.verdict_record import Verdict
from penstock.contract.policy import Policy
from penstock.gating.gate import gate
from penstock.gating.measurements import MeasurementSource
from penstock.gating.repeats import calibrate
from penstock.report.cases import BEYOND_ALL, CaseRow, Criterion, case_rows, criterion, number, shown
from penstock.report.forest import forest
from penstock.report.run_records import read_side


def test_a_margin_of_the_noise_is_drawn_and_ranks_the_cases_also_of_a_better_candidate(tmp_path: Path) -> None:
    runs = [[value + shift for value in BEFORE] for shift in (0.0, 0.1)]
    noise = calibrate([MeasurementSource(str(n), values("lse_d", run)) for n, run in enumerate(runs)]).calibration
    policy = Policy.model_validate({"rules": [{"metric": "lse_d", "margin": "5 sd"}], "calibration": "noise.json"})
    after = [value - 1.0 - 0.01 * (n % 5) for n, value in enumerate(BEFORE)]
    after[3], after[5] = BEFORE[3] + 0.5, BEFORE[5] + 0.2
    before, now = values("lse_d", BEFORE), values("lse_d", after)
    verdict = gate(now, before, policy, candidate_name="new", baseline_name="old", calibration=noise)
    (rule,) = verdict.rules
    margin = 5 * noise.metrics[0].noise
    assert "which is better" in rule.reason
    assert rule.margin == pytest.approx(margin)
    drawn = forest(rule)
    assert drawn is not None
    assert drawn.margin is not None
    scale = (drawn.margin - drawn.zero) / margin
    assert (drawn.point - drawn.zero) / scale == pytest.approx(rule.change, abs=1e-2)
    sides = [Bundle(tmp_path / name) for name in ("new", "old")]
    for side, lines in zip(sides, (now, before), strict=True):
        side.path.mkdir()
        side.write_measurements(lines)
    rows = case_rows(read_side(sides[0]), read_side(sides[1]), [criterion(rule) for rule in verdict.rules])
    assert [row.name for row in rows[:2]] == ["case-03", "case-05"]
    assert rows[0].worst == pytest.approx(0.5 / margin)
    assert rows[1].worst == pytest.approx(0.2 / margin)


def test_cases_without_an_answer_come_first_then_those_that_a_fallen_rule_finds_worst(tmp_path: Path) -> None:
    before = {name: {"lse_d": 7.0, "jitter": 1.0} for name in ("a", "b", "c", "d", "gone", "lost")}
    after: dict[str, dict[str, float | None]] = {
        "a": {"lse_d": 7.1, "jitter": 9.0},  # far worse, but by a rule that held
        "b": {"lse_d": 8.0, "jitter": 1.0},
        "c": {"lse_d": 6.0, "jitter": 0.5},
        "d": {"lse_d": 7.5, "jitter": 1.0},
        "lost": {"lse_d": None, "jitter": 1.0},
    }
    candidate, baseline = bundle(tmp_path / "new", after), bundle(tmp_path / "old", before)  # type: ignore[arg-type]
    candidate.write_invocations([Invocation(case="dead", status="timeout", error="too slow")])
    rules = [
        result(metric="jitter", verdict="pass", limit="no more than +0.1 over the baseline"),
        result(metric="lse_d", limit="no more than +5 % over the baseline", baseline=7.0),
    ]
    verdict = Verdict(verdict="fail", baseline="old", level=0.05, rules=rules)
    rows = case_rows(read_side(candidate), read_side(baseline), [criterion(rule) for rule in verdict.rules])
    assert [row.name for row in rows] == ["dead", "gone", "lost", "b", "d", "a", "c"]
    by_name = {row.name: row for row in rows}
    assert (by_name["gone"].status, by_name["dead"].status) == ("missing", "timeout")
    assert (by_name["b"].telling, by_name["a"].telling, by_name["c"].telling) == ("lse_d", "lse_d", "")
    assert by_name["lost"].worst == BEYOND_ALL
    assert by_name["gone"].numbers[0].baseline == "7.000"


def test_where_none_is_worse_the_least_improved_comes_first_with_the_metric_that_moved_most(tmp_path: Path) -> None:
    before = {name: {"lse_d": 7.0, "jitter": 1.0} for name in "abcdef"}
    after: dict[str, dict[str, float | None]] = {
        "a": {"lse_d": 5.0, "jitter": 1.0},
        "b": {"lse_d": 6.9, "jitter": 1.0},
        "c": {"lse_d": 6.0, "jitter": 0.999},
        "d": {"lse_d": 7.0, "jitter": 1.0},
        "e": {"lse_d": 7.2, "jitter": 0.1},
        "f": {"lse_d": 7.0, "jitter": None},
    }
    candidate, baseline = bundle(tmp_path / "new", after), bundle(tmp_path / "old", before)  # type: ignore[arg-type]
    criteria = [Criterion("lse_d", better="lower", margin=0.1), Criterion("jitter", better="lower", margin=0.1)]
    rows = case_rows(read_side(candidate), read_side(baseline), criteria)
    assert [row.name for row in rows] == ["f", "e", "d", "b", "c", "a"]
    assert [row.changed for row in rows] == ["jitter", "lse_d", "lse_d", "lse_d", "lse_d", "lse_d"]
    assert [row.change for row in rows] == pytest.approx([BEYOND_ALL, 2.0, 0.0, -1.0, -10.0, -20.0])
    assert [row.telling for row in rows] == ["jitter", "lse_d", "", "", "", ""]


def test_a_bound_is_no_change(tmp_path: Path) -> None:
    before: dict[str, dict[str, float | None]] = {"better": {"lse_d": 9.0}, "worse": {"lse_d": 5.0}}
    after: dict[str, dict[str, float | None]] = {"better": {"lse_d": 8.0}, "worse": {"lse_d": 5.1}}
    candidate, baseline = bundle(tmp_path / "new", after), bundle(tmp_path / "old", before)
    rows = case_rows(
        read_side(candidate), read_side(baseline), [Criterion("lse_d", better="lower", maximum=7.0, margin=0.1)]
    )
    assert [(row.name, row.change) for row in rows] == [
        ("better", pytest.approx(-10.0)),
        ("worse", pytest.approx(1.0)),
    ]
    assert min(row.worst for row in rows) > 0


def test_without_anything_to_compare_with_the_first_metric_that_has_a_value_is_told(tmp_path: Path) -> None:
    side = read_side(bundle(tmp_path / "new", {"a": {"lse_c": None, "lse_d": 7.0}}))
    (row,) = case_rows(side, None, [Criterion("lse_c", better="higher"), Criterion("lse_d", better="lower")])
    assert (row.change, row.changed) == (0.0, "lse_d")


def test_without_a_baseline_the_worst_values_come_first(tmp_path: Path) -> None:
    numbers: dict[str, dict[str, float | None]] = {"a": {"lse_c": 3.0}, "b": {"lse_c": 1.0}, "c": {"lse_c": 2.0}}
    side = read_side(bundle(tmp_path / "new", numbers))
    rules = [result(metric="lse_c", verdict="pass", limit="≥ 0.5")]
    rows = case_rows(side, None, [criterion(rule) for rule in rules])
    assert [row.name for row in rows] == ["b", "c", "a"]


def test_a_rule_of_a_slice_does_not_rank_other_cases(tmp_path: Path) -> None:
    candidate = bundle(tmp_path / "new", {"in-s": {"lse_d": 7.5}, "out": {"lse_d": 9.0}})
    baseline = bundle(tmp_path / "old", {"in-s": {"lse_d": 7.0}, "out": {"lse_d": 7.0}})
    verdict = Verdict(
        verdict="fail", level=0.05, rules=[result(slice="s", limit="no more than +5 % over the baseline")]
    )
    rows = case_rows(read_side(candidate), read_side(baseline), [criterion(rule) for rule in verdict.rules])
    assert [row.name for row in rows] == ["in-s", "out"]


def test_huge_numbers_are_written_short() -> None:
    assert shown("lse_d", 1e300) == "1e+300"
    assert shown("lse_d", None) == "–"
    assert number("lse_d", 1e300, 1e-300).change == "+1e+300"


def test_a_metric_that_says_nothing_of_a_case_is_no_row_of_it(tmp_path: Path) -> None:
    made = bundle(tmp_path / "a", {"photo": {"mae": 0.1}, "clip": {"mae": 0.2, "dtssd": 1.5}})
    nothing = Measurement(case="photo", metric="dtssd", value=None, error="a photograph has no motion", applies=False)
    made.write_measurements([*made.measurements(), nothing])
    rows = {row.name: [number.metric for number in row.numbers] for row in case_rows(read_side(made), None, [])}
    assert rows == {"photo": ["mae"], "clip": ["mae", "dtssd"]}


def test_what_worsened_is_worse_from_a_baseline_of_0_too() -> None:
    from_zero, same, gone = number("cer", 1.0, 0.0), number("lse_d", 7.0, 7.0), number("fid", None, 1.0)
    case = CaseRow("a", [], "ok", "", [from_zero, same, gone], 1.0, "lse_d", 1.0, "cer")
    assert [case.worsened(each) for each in (from_zero, same, gone)] == [True, False, True]
