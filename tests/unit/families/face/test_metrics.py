"""A metric's direction decides verdicts: each stands here a second time, on purpose."""

from __future__ import annotations

from penstock.families.face.metrics import METRICS, OF_A_CASE

LOWER = (
    "eer",
    "fnmr",
    "fmr",
    "pair_eer",
    "fpr95",
    "discard",
    "band_calibration",
    "drift",
    "gallery_eer",
    "schema_breaks",
)
HIGHER = (*(f"tar_1e-{n}" for n in range(1, 7)), "auroc", "bands", "repeatable", "gallery")


def test_directions() -> None:
    assert {metric.name: metric.direction for metric in METRICS} == (
        dict.fromkeys(LOWER, "lower") | dict.fromkeys(HIGHER, "higher") | {"face_quality": None}
    )


def test_where_their_values_come_from() -> None:
    assert OF_A_CASE == ("bands", "face_quality")
    assert [metric.name for metric in METRICS if metric.across_cases] == ["fnmr", "fmr"]
    assert [metric.name for metric in METRICS if metric.needs_released] == [
        *("drift", "gallery", "gallery_eer", "schema_breaks")
    ]
    assert not any(metric.role or metric.timed or metric.unit for metric in METRICS)
