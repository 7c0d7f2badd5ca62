"""Slices beside each other: sizes, means, changes, and what is better, worse or open."""

from __future__ import annotations

import pytest

from penstock.bundle.estimates import RatingCount
from penstock.bundle.models import Measurement, Resamples
from penstock.gating.by_slice import MAX_SLICES, SliceTable, Standing, by_slice, chosen_metrics
from penstock.gating.measurements import MeasurementSource

LEVEL = 0.05


def side(
    metrics: dict[str, list[float | None]], slices: list[list[str]], cases: tuple[str, ...] = ()
) -> MeasurementSource:
    found = [
        Measurement(case=f"c{place}", metric=metric, value=value, slices=names, error=None if value else "lost")
        for metric, numbers in metrics.items()
        for place, (value, names) in enumerate(zip(numbers, slices, strict=True))
    ]
    return MeasurementSource("mine", found, cases)


HAIR = [["hair"], ["hair", "shadow"], ["hair"], ["hair"], ["hair"], []]


def table(candidate: MeasurementSource, baseline: MeasurementSource | None, *metrics: str) -> SliceTable:
    found = by_slice(candidate, baseline, metrics, level=LEVEL)
    assert found is not None
    return found


def standings(before: list[float | None], after: list[float | None], metric: str = "iou") -> list[Standing]:
    found = table(side({metric: after}, HAIR), side({metric: before}, HAIR), metric)
    return [row.values[0].standing for row in found.rows]


def test_all_cases_come_first_and_each_slice_has_its_share_mean_and_change() -> None:
    after: list[float | None] = [0.90, 0.92, 0.94, 0.96, 0.98, 0.10]
    before: list[float | None] = [0.80, 0.83, 0.83, 0.86, 0.88, 0.20]
    found = table(side({"iou": after, "own": after}, HAIR), side({"iou": before}, HAIR), "iou", "own", "absent")
    assert found.metrics == ["iou", "own"]
    assert [(row.slice, row.cases, row.share) for row in found.rows] == [
        (None, 6, 1.0),
        ("hair", 5, pytest.approx(5 / 6)),
        ("shadow", 1, pytest.approx(1 / 6)),
    ]
    hair = found.rows[1].values[0]
    assert hair.mean.mean == pytest.approx(0.94)
    assert hair.change is not None
    assert hair.change.change == pytest.approx(0.1)
    assert hair.change.interval is not None
    assert 0 < hair.change.interval[0] < 0.1 < hair.change.interval[1]
    assert hair.standing == "better"
    assert found.rows[0].values[0].standing == "open"  # the last case became much worse
    assert found.rows[2].values[0].standing == "open"  # one case is sure of nothing
    assert found.rows[1].values[1].change is None  # the baseline lacks that metric
    assert found.rows[1].values[1].standing == ""


def test_which_way_is_better_is_the_metric_s() -> None:
    low: list[float | None] = [0.1, 0.12, 0.1, 0.11, 0.1, 0.1]
    high: list[float | None] = [0.3, 0.35, 0.31, 0.33, 0.3, 0.3]
    assert standings(low, high, "iou")[:2] == ["better", "better"]
    assert standings(low, high, "mae")[:2] == ["worse", "worse"]
    assert standings(high, low, "mae")[:2] == ["better", "better"]
    assert standings(high, high, "mae")[:2] == ["same", "same"]
    unknown = side({"own": high}, HAIR), side({"own": low}, HAIR)
    assert table(*unknown, "own").rows[0].values[0].standing == ""
    ruled = by_slice(*unknown, ["own"], level=LEVEL, ways={"own": "lower"})
    assert ruled is not None
    assert ruled.rows[0].values[0].standing == "worse"


def test_a_candidate_without_an_answer_is_never_called_better() -> None:
    before: list[float | None] = [0.5, 0.52, 0.51, 0.5, 0.5, 0.5]
    assert standings(before, [0.9, 0.91, 0.9, 0.93, 0.9, None]) == ["open", "better", "open"]
    assert standings(before, [*before[:5], None])[0] == "open"
    assert standings(before, [0.1, 0.11, 0.1, 0.13, 0.1, None])[0] == "worse"
    found = table(side({"iou": [0.9] * 5 + [None]}, HAIR), side({"iou": before}, HAIR), "iou")
    assert found.rows[0].values[0].mean.mean is None
    assert found.rows[0].values[0].mean.note == "no value for 'c5' (lost)"


def test_cases_that_were_never_measured_count() -> None:
    found = table(side({"iou": [0.9] * 6}, HAIR, ("c0", "gone")), None, "iou")
    assert found.rows[0].cases == 7
    assert found.rows[0].values[0].mean.mean is None
    assert "gone" in found.rows[0].values[0].mean.note


def test_without_slices_or_values_of_cases_there_is_no_table() -> None:
    assert by_slice(side({"iou": [0.9]}, [[]]), None, ["iou"], level=LEVEL) is None
    assert by_slice(side({"iou": [None]}, [["hair"]]), None, ["iou"], level=LEVEL) is None
    whole = MeasurementSource("mine", [Measurement(case="*", metric="fid", value=3.0, slices=["hair"])])
    assert by_slice(whole, None, ["fid"], level=LEVEL) is None


def test_the_largest_slices_are_shown_and_the_others_counted() -> None:
    names = [f"s{place:03}" for place in range(MAX_SLICES + 7)]
    slices = [names, names[3:]]
    found = table(side({"iou": [0.9, 0.8]}, slices), None, "iou")
    assert len(found.rows) == MAX_SLICES + 1
    assert found.left_out == 7
    assert [row.slice for row in found.rows[1:3]] == ["s003", "s004"]


def test_the_family_s_metrics_win_over_others() -> None:
    assert chosen_metrics(("iou", "mae"), ["sad"]) == ["iou", "mae"]
    assert chosen_metrics((), ["sad", "iou", "sad"]) == ["sad", "iou"]


def whole(name: str | None, value: float | None, spread: float = 0.01) -> Measurement:
    """A calibration error of the suite, or of a slice as a whole, with resamples around it."""
    drawn = Resamples(cases=25, key="k", values=[(value or 0.0) + spread * (place - 2) for place in range(5)])
    error = "no label was found" if value is None else None
    return Measurement(case="*", metric="ece", value=value, slice=name, error=error, resamples=drawn if value else None)


def test_values_of_whole_slices_stand_in_the_table() -> None:
    cases = [Measurement(case=f"c{n}", metric="top1", value=1.0, slices=["dark", "blur"][: n + 1]) for n in range(2)]
    before = MeasurementSource("old", [*cases, whole(None, 0.1), whole("dark", 0.1), whole("blur", 0.1)])
    after = MeasurementSource("new", [*cases, whole(None, 0.1), whole("dark", 0.2), whole("blur", None)])
    found = table(after, before, "ece", "fid")
    assert found.metrics == ["ece"]
    everything, blur, dark = (row.values[0] for row in found.rows)
    assert (everything.mean.mean, everything.standing) == (0.1, "same")
    assert dark.mean.n == 25
    assert dark.mean.interval == pytest.approx((0.2 - 1.645 * 0.01 * 2**0.5, 0.2 + 1.645 * 0.01 * 2**0.5), abs=1e-4)
    assert dark.change is not None
    assert dark.change.change == pytest.approx(0.1)
    assert dark.standing == "worse"
    assert (blur.mean.mean, blur.mean.note) == (None, "no value: no label was found")


def test_ratings_are_no_column() -> None:
    """They compare with the released model already; the report has a table of their own."""
    rated = [
        Measurement(case="*", metric="preference", slice=name, value=0.5, ratings=RatingCount(counted=10))
        for name in (None, "hair")
    ]
    mine = side({"iou": [0.9] * 6}, HAIR)
    both = MeasurementSource("mine", [*mine.measurements, *rated])
    assert table(both, both, "preference", "iou").metrics == ["iou"]
