"""Numbers behind the drawings: the rules' own limits, the forest bar, the line over the releases, the ranking."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from penstock.bundle.directory import Bundle
from penstock.bundle.metric_history import History, PastRelease, PastValue
from penstock.bundle.models import Invocation, Measurement, RuleResult, Verdict
from penstock.contract.policy import Policy
from penstock.families.registry import find_metric
from penstock.gating.gate import gate
from penstock.gating.measurements import Source
from penstock.gating.repeats import calibrate
from penstock.report.cases import BEYOND_ALL, case_rows, criterion, number, shown
from penstock.report.forest import WIDTH, forest
from penstock.report.old_verdicts import completed, read_verdict
from penstock.report.rows import metric_rows
from penstock.report.run_records import read_side
from penstock.report.summary import rule_verdict
from penstock.report.trend import Past, trend

NUMBERS = ("minimum", "maximum", "worst", "margin", "better")
NAMES = [f"case-{n:02}" for n in range(24)]


def values(metric: str, numbers: list[float], slices: tuple[str, ...] = ()) -> list[Measurement]:
    return [
        Measurement(case=case, metric=metric, value=value, slices=list(slices))
        for case, value in zip(NAMES, numbers, strict=False)
    ]


def judged(rules: list[dict[str, object]], before: list[Measurement], after: list[Measurement]) -> Verdict:
    policy = Policy.model_validate({"rules": rules})
    return gate(after, before, policy, candidate_name="new", baseline_name="old")


BEFORE = [7.0 + 0.01 * n for n in range(24)]


@pytest.mark.parametrize(
    ("rule", "bounds", "margin", "better"),
    [
        ({"metric": "lse_d", "max": 9.0, "margin": "5%"}, (None, 9.0, None), 0.05 * 7.115, "lower"),
        ({"metric": "lse_d", "margin": 0.25, "worst": 12}, (None, None, 12.0), 0.25, "lower"),
        ({"metric": "lse_c", "min": 1.5, "max": 20, "margin": 1e-7}, (1.5, 20.0, None), 1e-7, "higher"),
        ({"metric": "latency", "max": 2, "margin": 0.5}, (None, 2.0, None), 0.5, "lower"),
        ({"metric": "own", "direction": "higher", "margin": "2.5 %"}, (None, None, None), 0.025 * 7.115, "higher"),
        ({"metric": "own", "direction": "lower", "margin": 0}, (None, None, None), 0.0, "lower"),
        ({"metric": "av_offset", "min": -1, "max": 1}, (-1.0, 1.0, None), None, None),
    ],
)
def test_a_rule_has_its_limits_as_numbers_and_an_old_one_s_are_read_from_its_words(
    rule: dict[str, object], bounds: tuple[float | None, ...], margin: float | None, better: str | None
) -> None:
    metric = str(rule["metric"])
    verdict = judged([rule], values(metric, BEFORE), values(metric, [value + 0.01 for value in BEFORE]))
    found = verdict.rules[0]
    old = RuleResult.model_validate(found.model_dump(exclude={"predicate", *NUMBERS}))
    for one in (found, completed(old)):
        assert (one.minimum, one.maximum, one.worst) == bounds
        assert one.margin == (pytest.approx(margin) if margin is not None else None)
        assert one.better == better
        assert one.predicate == found.predicate
    known = find_metric(metric)
    assert found.reason.startswith(f"{known.title if known else metric} {found.predicate}")


def test_a_margin_of_the_noise_is_drawn_and_ranks_the_cases_also_of_a_better_candidate(tmp_path: Path) -> None:
    runs = [[value + shift for value in BEFORE] for shift in (0.0, 0.1)]
    noise = calibrate([Source(str(n), values("lse_d", run)) for n, run in enumerate(runs)]).calibration
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


def test_an_old_bundle_s_verdict_gets_its_numbers_when_it_is_read(tmp_path: Path) -> None:
    path = Bundle(tmp_path)
    rule: dict[str, object] = {"metric": "lse_d", "slice": None, "verdict": "inconclusive", "n": 8, "needed": 40}
    rule |= {"interval": [-0.1, 0.9]}
    rule |= {"reason": "LSE-D rose from 7 to 7.4; 8 cases leave it open; about 40 cases would settle it"}
    rule |= {"baseline": 7.0, "candidate": 7.4, "change": 0.4, "limit": "≤ 9, no more than +5 % over the baseline"}
    content = {"schema_version": 1, "verdict": "inconclusive", "level": 0.05, "rules": [rule]}
    path.verdict_file.write_text(json.dumps(content), encoding="utf-8")
    (found,) = read_verdict(path).rules
    assert (found.maximum, found.minimum, found.better) == (9.0, None, "lower")
    assert found.margin == pytest.approx(0.35)
    assert found.predicate == "rose from 7 to 7.4; 8 cases leave it open"
    path.write_verdict(judged([{"metric": "own", "max": 9, "min": 1}], [], values("own", [3.0])))
    assert read_verdict(path) == path.verdict()


def test_the_forest_bar_has_the_gate_s_interval_and_margin() -> None:
    after = [value + 0.3 + 0.02 * (n % 5) for n, value in enumerate(BEFORE)]
    rule = judged([{"metric": "lse_d", "margin": 0.2}], values("lse_d", BEFORE), values("lse_d", after)).rules[0]
    drawn = forest(rule)
    assert rule.verdict == "fail"
    assert drawn
    assert rule.interval
    assert rule.change
    assert drawn.low is not None
    assert drawn.high is not None
    assert drawn.margin is not None
    assert 0 < drawn.zero < drawn.margin < drawn.low < drawn.point < drawn.high < WIDTH
    scale = (drawn.point - drawn.zero) / rule.change
    assert (drawn.margin - drawn.zero) / scale == pytest.approx(0.2, abs=1e-3)
    assert (drawn.high - drawn.zero) / scale == pytest.approx(rule.interval[1], abs=1e-3)


def test_worse_is_right_also_where_higher_is_better() -> None:
    after = [value - 1.0 - 0.02 * (n % 5) for n, value in enumerate(BEFORE)]
    rule = judged([{"metric": "lse_c", "margin": 0.2}], values("lse_c", BEFORE), values("lse_c", after)).rules[0]
    drawn = forest(rule)
    assert drawn
    assert drawn.margin is not None
    assert drawn.low is not None
    assert drawn.high is not None
    assert drawn.zero < drawn.margin < drawn.low < drawn.point < drawn.high


def result(**more: object) -> RuleResult:
    known = {"metric": "lse_d", "slice": None, "verdict": "fail", "reason": "", "limit": "", "n": 1}
    empty = dict.fromkeys(("baseline", "candidate", "change", "interval"))
    return completed(RuleResult.model_validate(known | empty | more))


@pytest.mark.parametrize(
    "rule",
    [
        result(),
        result(metric="own", change=1.0),
        result(change=float("inf")),
        result(change=1.0, interval=(float("-inf"), 2.0)),
        result(metric="av_offset", change=1.0, limit="≤ 1"),
    ],
)
def test_what_cannot_be_drawn_is_not(rule: RuleResult) -> None:
    assert forest(rule) is None


def test_no_change_at_all_is_drawn_at_zero() -> None:
    drawn = forest(result(change=0.0, baseline=7.0, limit="no more than +0 over the baseline", interval=(0.0, 0.0)))
    assert drawn
    assert drawn.zero == drawn.point == drawn.margin == drawn.low == drawn.high


def test_a_far_bound_does_not_press_the_change_into_a_corner() -> None:
    drawn = forest(result(change=1.0, baseline=10.0, limit="≤ 1024, no more than +5 % over the baseline"))
    assert drawn
    assert drawn.bound is None
    assert drawn.point - drawn.zero > WIDTH / 2


@pytest.mark.parametrize(
    ("more", "state"),
    [
        ({"verdict": "pass", "severity": "warn"}, "pass"),
        ({"verdict": "fail"}, "fail"),
        ({"verdict": "inconclusive"}, "inconclusive"),
        ({"verdict": "inconclusive", "severity": "warn"}, "warning"),
        ({"severity": "warn", "advisory": True}, "advisory"),
        ({"waiver": {"reason": "r", "author": "a", "expires": "2026-01-01"}}, "waived"),
        ({"waiver": {"reason": "r", "author": "a", "expires": "2026-01-01", "expired": True}}, "fail"),
    ],
)
def test_what_blocks_nothing_is_not_called_failed(more: dict[str, object], state: str) -> None:
    assert rule_verdict(result(**more)) == state


def past(*means: float | None, extractors: tuple[str | None, ...] = ()) -> Past:
    releases = []
    for place, mean in enumerate(means):
        extractor = extractors[place] if extractors else "net"
        metrics = {"lse_d": PastValue(mean=mean, n=3, extractor=extractor, slices={"s": 1.0})}
        releases.append(PastRelease(run_id=f"r{place}", version=f"1.{place}", suite="s", metrics=metrics))
    return Past(History(model="m", releases=releases), "s", {"lse_d": "net"})


def test_the_line_breaks_where_a_release_has_no_value() -> None:
    line = trend(past(8.0, 7.5, None, 7.0), "lse_d", None, 9.0)
    assert line
    assert [len(piece.split()) for piece in line.pieces] == [2, 2]
    assert len(line.gaps) == 1
    assert line.points[-1].y == min(point.y for point in line.points)  # the largest value stands highest
    assert line.words == "1.0: 8.000; 1.1: 7.500; 1.3: 7.000; this run: 9.000"


def test_another_extractor_is_a_point_off_the_line() -> None:
    line = trend(past(8.0, 7.5, 7.0, extractors=("older", "net", "net")), "lse_d", None, 9.0)
    assert line
    assert [point.comparable for point in line.points] == [False, True, True, True]
    assert [len(piece.split()) for piece in line.pieces] == [3]
    assert "other cases or another extractor" in line.words


def test_lines_of_equal_values_and_of_none() -> None:
    flat = trend(past(8.0, 8.0), "lse_d", "s", 1.0)
    assert flat
    assert {point.y for point in flat.points} == {15.0}
    assert trend(past(None, None), "lse_d", None, 9.0) is None
    assert trend(past(8.0), "fid", None, 9.0) is None


def bundle(path: Path, numbers: dict[str, dict[str, float | None]]) -> Bundle:
    made = Bundle(path)
    path.mkdir()
    made.write_measurements(
        Measurement(case=case, metric=metric, value=value, slices=["s"] if case.endswith("s") else [], error=None)
        for case, metrics in numbers.items()
        for metric, value in metrics.items()
    )
    return made


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


def test_rules_that_fell_stand_first_and_other_metrics_last(tmp_path: Path) -> None:
    side = read_side(bundle(tmp_path / "new", {"a": {"lse_d": 7.0, "own": 1.0, "jitter": 1.0}}))
    rules = [
        result(metric="jitter", verdict="pass", reason="fine"),
        result(reason="LSE-D rose; about 30 cases would settle it", needed=30, verdict="inconclusive"),
    ]
    rows = metric_rows(side, None, Verdict(verdict="fail", level=0.05, rules=rules), None)
    assert [(row.name, row.state) for row in rows] == [("LSE-D", "inconclusive"), ("jitter", "pass"), ("own", "")]
    assert rows[0].brief == "rose"
    assert rows[0].reason.endswith("would settle it")
    assert rows[0].needed == 30


def test_huge_numbers_are_written_short() -> None:
    assert shown("lse_d", 1e300) == "1e+300"
    assert shown("lse_d", None) == "–"
    assert number("lse_d", 1e300, 1e-300).change == "+1e+300"
