"""Any two sides beside each other, paired by case."""

from __future__ import annotations

import json

import pytest
from tests.unit.gating.compared_sides import side

from penstock.bundle.models import Measurement, Resamples
from penstock.foundation.errors import UsageError
from penstock.gating.compare import Comparison, MetricChange, compare
from penstock.gating.decision import interval
from penstock.gating.measurements import MeasurementSource


def beside(baseline: MeasurementSource, candidate: MeasurementSource) -> Comparison:
    return compare(baseline, candidate, level=0.05)


def only(comparison: Comparison) -> MetricChange:
    (found,) = comparison.metrics
    return found


def test_the_change_is_paired_by_case_with_the_interval_of_the_gate() -> None:
    old = {f"c{number}": 7.0 + number for number in range(30)}
    new = {case: value + 0.1 * (index % 4) for index, (case, value) in enumerate(old.items())}
    found = only(beside(side("old", lse_d=old), side("new", lse_d=new)))
    assert (found.baseline, found.candidate) == pytest.approx((21.5, 21.5 + found.change))
    assert found.interval == pytest.approx(interval([new[case] - old[case] for case in sorted(old)], 0.05))
    assert (found.n, found.direction, found.note) == (30, "lower", "")


def test_cases_that_one_side_lacks_are_left_out_and_named() -> None:
    found = beside(
        side("old", lse_d={"a": 1.0, "b": 2.0, "gone": 9.0, "dead": 1.0}),
        side("new", lse_d={"a": 2.0, "b": 3.0, "new": 9.0, "dead": None}, cases=("a", "b", "new", "dead", "lost")),
    )
    assert (found.only_baseline, found.only_candidate) == (["gone"], ["lost", "new"])
    metric = only(found)
    assert (metric.baseline, metric.candidate, metric.change, metric.n) == (1.5, 2.5, 1.0, 2)
    assert metric.note == (
        "no value in the candidate for 'dead' (it crashed); only the baseline has 'gone'; only the candidate has 'new'"
    )
    assert [(case.case, case.change, case.error) for case in found.worst] == [
        ("dead", None, "it crashed"),
        ("a", 1.0, ""),
        ("b", 1.0, ""),
    ]


def test_values_through_two_extractors_are_shown_and_not_compared() -> None:
    one, other = (Measurement(case="a", metric="lse_d", value=1, extractor=name) for name in ("x@1", "x@2"))
    found = only(beside(side("old", one), side("new", other)))
    assert (found.baseline, found.candidate, found.change, found.interval) == (1.0, 1.0, None, None)
    assert found.note == "not compared: measured through x@1, then through x@2"


def test_nothing_to_pair() -> None:
    found = only(beside(side("old", lse_d={"a": 1.0}), side("new", lse_d={"a": None, "b": 1.0})))
    assert (found.change, found.n, found.note) == (None, 0, "not compared: no case has a value on both sides")
    whole = Measurement(case="*", metric="lse_d", value=3)
    assert "no case has a value" in only(beside(side("old", lse_d={"a": 1.0}), side("new", whole))).note
    with pytest.raises(UsageError, match="no metric is on both sides: lse_d on the first, nothing on the second"):
        beside(side("old", lse_d={"a": 1.0}), side("new"))


def test_a_value_of_the_whole_suite_takes_its_interval_from_resamples() -> None:
    def fid(value: float, key: str, *shifts: float) -> Measurement:
        resamples = Resamples(cases=25, key=key, values=[value + shift for shift in shifts]) if shifts else None
        return Measurement(case="*", metric="fid", value=value, resamples=resamples)

    old = side("old", fid(40.0, "k", 1.0, -1.0, 0.5))
    paired = only(beside(old, side("new", fid(41.0, "k", 1.1, -1.1, 0.5))))
    assert (paired.change, paired.n) == (1.0, 25)
    assert paired.interval is not None
    low, high = paired.interval
    assert 0.7 < low < 1.0 < high < 1.3
    for other in (fid(41.0, "other", 1.0, -1.0, 0.5), fid(41.0, ""), fid(41.0, "k", 1.0)):
        found = only(beside(old, side("new", other)))
        assert (found.change, found.interval) == (1.0, None)
        assert "no resamples of the same cases" in found.note


def test_the_worst_five_are_of_metrics_that_speak_of_the_model() -> None:
    old = {f"c{number}": 10.0 for number in range(8)}
    latency = dict.fromkeys(old, 1.0)
    lips = {case: 10.0 + index for index, case in enumerate(old)}
    slow = dict.fromkeys(old, 100.0)
    found = beside(side("old", lse_d=old, latency=latency), side("new", lse_d=lips, latency=slow)).worst
    assert [case.case for case in found] == ["c7", "c6", "c5", "c4", "c3"]
    assert {case.metric for case in found} == {"lse_d"}
    assert found[0].share == pytest.approx(0.7)
    alone = beside(side("old", latency=latency), side("new", latency=slow)).worst
    assert len(alone) == 5
    assert beside(side("old", own=old), side("new", own=lips)).worst == []
    assert beside(side("old", lse_c=old), side("new", lse_c=lips)).worst == []


def test_a_baseline_of_zero_and_values_without_spread() -> None:
    zero, one = {"a": 0.0, "b": 0.0}, {"a": 1.0, "b": 1.0}
    found = beside(side("old", duration_error=zero), side("new", duration_error=one))
    assert (only(found).change, only(found).interval) == (1.0, (1.0, 1.0))
    assert [case.share for case in found.worst] == [1.0, 1.0]
    tiny = beside(side("old", lse_d={"a": 1e-300}), side("new", lse_d={"a": 1e100}))
    json.dumps(tiny.worst[0].share, allow_nan=False)


def test_wins_and_slices() -> None:
    def sliced(name: str, **values: float) -> MeasurementSource:
        slices = {"a": ["hair"], "b": ["hair"], "c": []}
        found = [Measurement(case=case, metric="mae", value=one, slices=slices[case]) for case, one in values.items()]
        return MeasurementSource(name, found)

    found = compare(sliced("old", a=0.4, b=0.2, c=0.1), sliced("new", a=0.1, b=0.3, c=0.1), level=0.05)
    (whole,), (hair,) = found.metrics, found.slices
    assert (whole.slice, whole.better, whole.worse, whole.n) == (None, 1, 1, 3)
    assert (hair.slice, hair.metric, hair.n, hair.better) == ("hair", "mae", 2, 1)
    assert hair.change == pytest.approx(-0.1)


def test_values_of_whole_slices_are_compared_where_both_sides_have_them() -> None:
    def measured(blur: float | None, *, drawn: bool) -> MeasurementSource:
        lines = [Measurement(case="a", metric="top1", value=1.0, slices=["blur"])]
        values = {None: 0.1} | ({"blur": blur} if blur is not None else {})
        for name, value in values.items():
            again = Resamples(cases=30, key="k", values=[value, value + 0.01, value - 0.02]) if drawn else None
            lines.append(Measurement(case="*", metric="ece", value=value, slice=name, resamples=again))
        return MeasurementSource("side", lines)

    found = compare(measured(0.2, drawn=True), measured(0.3, drawn=True), level=0.05)
    (blur,) = [change for change in found.slices if change.metric == "ece"]
    assert (blur.slice, blur.baseline, blur.candidate, blur.n) == ("blur", 0.2, 0.3, 30)
    assert blur.interval == pytest.approx((0.1, 0.1))
    bare = compare(measured(0.2, drawn=False), measured(0.3, drawn=False), level=0.05).slices[-1]
    assert bare.note.startswith("one value for all of these cases; no interval")
    older = compare(measured(None, drawn=True), measured(0.3, drawn=True), level=0.05)
    assert [change.metric for change in older.slices] == ["top1"]
