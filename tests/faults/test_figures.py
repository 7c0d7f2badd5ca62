"""The figures of the documents: from measurements, whole and slice by slice."""

from __future__ import annotations

from tests.faults.figures import figures

from penstock.bundle.models import WHOLE_SUITE, Measurement
from penstock.gating.measurements import MeasurementSource


def source(name: str, values: dict[str, float], whole: float | None) -> MeasurementSource:
    slices = {"one": ["hair", "smoke"], "two": ["hair"], "three": ["glass"]}
    found = [Measurement(case=case, metric="mae", value=value, slices=slices[case]) for case, value in values.items()]
    if whole is not None:
        found.append(Measurement(case=WHOLE_SUITE, metric="gallery_eer", value=whole))
    return MeasurementSource(name, found)


def test_they_are_means_over_all_cases_and_by_slice() -> None:
    before = source("v1.0.0", {"one": 0.1, "two": 0.3, "three": 0.5}, None)
    after = source("v1.1.0", {"one": 0.1, "two": 0.1, "three": 0.4}, 0.0849)
    assert figures(("mae", "gallery_eer", "boundary_iou"), before, after).splitlines() == [
        "| | v1.0.0 | v1.1.0 |",
        "|---|---|---|",
        "| MAE | 0.30000 | 0.20000 |",
        "| EER over the stored gallery | – | 0.0849 |",
        "| boundary IoU | – | – |",
        "",
        "| slice | MAE |",
        "|---|---|",
        "| `glass` | 0.50000 → 0.40000 |",
        "| `hair` | 0.20000 → 0.10000 |",
    ]
