"""A side of a comparison."""

from __future__ import annotations

from penstock.bundle.models import Measurement
from penstock.gating.measurements import MeasurementSource


def side(
    name: str, /, *more: Measurement, cases: tuple[str, ...] = (), **metrics: dict[str, float | None]
) -> MeasurementSource:
    found = [
        Measurement(case=case, metric=metric, value=value, error=None if value is not None else "it crashed")
        for metric, values in metrics.items()
        for case, value in values.items()
    ]
    return MeasurementSource(name, [*found, *more], cases)
