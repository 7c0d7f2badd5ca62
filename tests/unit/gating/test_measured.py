"""One side's measurements on their own."""

from __future__ import annotations

import pytest

from penstock.bundle.models import Measurement
from penstock.gating.measured import summarise
from penstock.gating.measurements import MeasurementSource

SLICES = {"a": ["hair"], "b": ["hair", "shadow"], "c": []}


def side(**metrics: dict[str, float | None]) -> MeasurementSource:
    found = [
        Measurement(case=case, metric=metric, value=value, slices=SLICES.get(case, []), error=None if value else "lost")
        for metric, values in metrics.items()
        for case, value in values.items()
    ]
    return MeasurementSource("mine", found)


def test_means_intervals_and_slices() -> None:
    found = summarise(side(own={"a": 1.0, "b": 2.0, "c": 6.0}, fid={"*": 9.0}), level=0.05)
    fid, own = found.metrics
    assert (own.metric, own.mean, own.n, own.direction) == ("own", 3.0, 3, None)
    # Student's t of three values: 3 ± 2.92 · 2.6458 / √3
    assert own.interval == pytest.approx((-1.4604, 7.4604), abs=1e-3)
    assert (fid.metric, fid.mean, fid.interval, fid.direction) == ("fid", 9.0, None, "lower")
    assert [(one.slice, one.metric, one.mean, one.n) for one in found.slices] == [
        ("hair", "own", 1.5, 2),
        ("shadow", "own", 2.0, 1),
    ]
    assert found.slices[1].interval is None  # one case shows no spread


def test_no_mean_without_the_hard_cases() -> None:
    (own,) = summarise(side(own={"a": 1.0, "b": None, "c": 6.0}), level=0.05).metrics
    assert (own.mean, own.interval, own.n) == (None, None, 2)
    assert own.note == "no value for 'b' (lost)"
