"""A metric's direction and unit decide verdicts: each stands here a second time, on purpose."""

from __future__ import annotations

from penstock.families.matting.metrics import METRICS

LOWER = ("mae", "mse", "sad", "grad", "conn", "hd95", "hd100", "spurious", "hce", "fringe", "dtssd")
UNITS = {"hd95": "px", "hd100": "px", "fringe": "ΔE"}
HIGHER = ("iou", "boundary_iou", "uea", "s_measure", "wf", "e_measure", "mba")


def test_directions_and_units() -> None:
    assert {metric.name: metric.direction for metric in METRICS} == (
        dict.fromkeys(LOWER, "lower") | dict.fromkeys(HIGHER, "higher")
    )
    assert {metric.name: metric.unit for metric in METRICS if metric.unit} == UNITS


def test_each_has_a_value_a_case_and_looks_through_no_network() -> None:
    assert not any(metric.whole_suite or metric.role or metric.timed for metric in METRICS)
