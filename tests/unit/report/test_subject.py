"""What a page is about: a verdict, or a comparison without rules."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from penstock.bundle.directory import Bundle
from penstock.bundle.models import EVALUATION, Measurement
from penstock.bundle.verdict_record import MeasuredAgain, RuleResult, Verdict
from penstock.gating.compare import Comparison, compare
from penstock.gating.measured import summarise
from penstock.gating.measurements import MeasurementSource
from penstock.report.cases import case_rows
from penstock.report.page import write_page
from penstock.report.run_records import Side, read_side
from penstock.report.subject import subject_of

BEFORE = {"lse_d": {"a": 7.0, "b": 7.0, "c": 7.0}, "latency": {"a": 1.0, "b": 1.0, "c": 1.0}}
AFTER = {"lse_d": {"a": 7.1, "b": 8.0, "c": 6.0}, "latency": {"a": 9.0, "b": 1.0, "c": 1.0}}


def measured(values: dict[str, dict[str, float]]) -> list[Measurement]:
    return [
        Measurement(case=case, metric=metric, value=value)
        for metric, cases in values.items()
        for case, value in cases.items()
    ]


def bundles(folder: Path) -> tuple[Bundle, Bundle]:
    found = Bundle(folder / "old"), Bundle(folder / "new")
    for bundle, values in zip(found, (BEFORE, AFTER), strict=True):
        bundle.path.mkdir(parents=True)
        bundle.write_measurements(measured(values))
    return found


def compared() -> Comparison:
    return compare(MeasurementSource("old", measured(BEFORE)), MeasurementSource("new", measured(AFTER)), level=0.05)


def sides(folder: Path) -> tuple[Side, Side]:
    old, new = bundles(folder)
    return read_side(new), read_side(old)


def test_a_comparison_has_changes_and_no_rules(tmp_path: Path) -> None:
    candidate, baseline = sides(tmp_path)
    subject = subject_of(compared(), candidate, baseline, None)
    assert (subject.word, subject.style, subject.judged, subject.heading) == (
        *("compared", "compared", False),
        "What changed",
    )
    assert (subject.baseline, subject.level, subject.rerun) == ("old", 0.05, False)
    change, time = subject.rows
    assert (change.name, change.state, change.limit, change.n) == ("LSE-D", "changed", "", 3)
    assert change.brief == "rose from 7.000 to 7.033: +0.033 (+0.5%); 1 better, 2 worse"
    assert change.reason == f"LSE-D {change.brief}"
    assert change.forest is not None
    assert change.forest.margin is None
    assert (time.name, time.state, time.anchor) == ("latency", "", "")


def test_cases_are_ranked_by_what_is_not_time(tmp_path: Path) -> None:
    candidate, baseline = sides(tmp_path)
    subject = subject_of(compared(), candidate, baseline, None)
    assert [by.metric for by in subject.criteria] == ["lse_d"]
    rows = case_rows(candidate, baseline, subject.criteria)
    assert [(row.name, row.telling) for row in rows] == [("b", "lse_d"), ("a", "lse_d"), ("c", "")]


def test_time_ranks_where_nothing_else_was_measured(tmp_path: Path) -> None:
    candidate, baseline = sides(tmp_path)
    only = [{"latency": values["latency"]} for values in (BEFORE, AFTER)]
    about = compare(
        MeasurementSource("old", measured(only[0])), MeasurementSource("new", measured(only[1])), level=0.05
    )
    assert [by.metric for by in subject_of(about, candidate, baseline, None).criteria] == ["latency"]


def test_a_verdict_has_its_rules(tmp_path: Path) -> None:
    candidate, baseline = sides(tmp_path)
    rule = RuleResult(
        metric="lse_d",
        slice=None,
        verdict="fail",
        reason="LSE-D rose",
        baseline=7.0,
        candidate=7.033,
        change=0.033,
        interval=None,
        limit="≤ 7",
        n=3,
    )
    verdict = Verdict(verdict="fail", baseline="old", level=0.01, comparison="rerun", rules=[rule])
    subject = subject_of(verdict, candidate, baseline, None)
    assert (subject.word, subject.style, subject.judged) == ("rejected", "fail", True)
    assert (subject.heading, subject.rerun, subject.level) == ("Rules that did not hold", True, 0.01)
    assert [(by.metric, by.weight) for by in subject.criteria] == [("lse_d", 1000.0)]


def test_the_page_says_which_values_of_the_baseline_were_measured_again(tmp_path: Path) -> None:
    old, new = bundles(tmp_path)
    again = MeasuredAgain(
        metrics=["lse_d"], stored={"lipsync": "s@sha256:0+<b>fp8"}, measured={"lipsync": "s@sha256:0"}
    )
    for found, said in ((again, True), (None, False)):
        verdict = Verdict(verdict="pass", baseline="old", level=0.05, rules=[], measured_again=found)
        write_page(new, old, verdict, tmp_path / "page")
        page = (tmp_path / "page" / "index.html").read_text(encoding="utf-8")
        assert ("LSE-D of the baseline were measured again, from its archived outputs" in page) is said
        assert "<b>fp8" not in page
        assert ("they are stored in &lt;b&gt;fp8" in page) is said


def test_the_page_of_a_comparison_speaks_of_no_verdict(tmp_path: Path) -> None:
    old, new = bundles(tmp_path)
    write_page(new, old, compared(), tmp_path / "page")
    page = (tmp_path / "page" / "index.html").read_text(encoding="utf-8")
    body = page[page.index("<body>") : page.index("<script")]
    assert '<header class="compared">' in body
    assert "What changed" in body
    assert "rose from 7.000 to 7.033" in body
    for word in ("accepted", "rejected", "inconclusive", "Rules and metrics", "ruled metric", 'class="chip'):
        assert word not in body


def test_values_of_one_side_are_compared_with_nothing(tmp_path: Path) -> None:
    candidate, _ = sides(tmp_path)
    subject = subject_of(summarise(MeasurementSource("new", measured(AFTER)), level=0.05), candidate, None, None)
    assert (subject.word, subject.judged, subject.without_baseline) == ("measured", False, "compared with nothing")
    row = next(row for row in subject.rows if row.name == "LSE-D")
    assert (row.candidate, row.baseline, row.n, row.state) == ("7.033", "–", 3, "changed")
    assert row.brief == f"7.033, between {row.interval.replace(' to ', ' and ')}"
    assert subject.remark == ""  # it is no evaluation
    evaluated = dataclasses.replace(candidate, run=candidate.run.model_copy(update={"track": EVALUATION}))
    about = compared()
    assert "without a release" in subject_of(about, evaluated, None, None).remark


def test_a_metric_without_any_value_ranks_no_case(tmp_path: Path) -> None:
    candidate, baseline = sides(tmp_path)
    lost = [Measurement(case=case, metric="fringe", value=None, error="no colours") for case in "abc"]
    of = [MeasurementSource("x", [*measured(values), *lost]) for values in (BEFORE, AFTER)]
    both = subject_of(compare(*of, level=0.05), candidate, baseline, None)
    alone = subject_of(summarise(of[1], level=0.05), candidate, None, None)
    assert [by.metric for by in both.criteria] == ["lse_d"]
    assert [by.metric for by in alone.criteria] == ["lse_d"]


def test_slices_stand_below_the_whole(tmp_path: Path) -> None:
    candidate, baseline = sides(tmp_path)
    about = compared()
    hair = dataclasses.replace(about.metrics[0], slice="hair")
    time = dataclasses.replace(about.metrics[1], slice="hair")
    rows = subject_of(dataclasses.replace(about, slices=[hair, time]), candidate, baseline, None).rows
    assert [row.name for row in rows if row.state] == ["LSE-D", "LSE-D (hair)"]
