"""A metric's direction and unit decide verdicts: each stands here a second time, on purpose."""

from __future__ import annotations

from penstock.families.talking_head.metrics import METRICS

WANTED = {
    "lse_d": ("lower", ""),
    "lse_c": ("higher", ""),
    "av_offset": (None, "frames"),
    "av_offset_abs": ("lower", "frames"),
    "lip_closure": ("higher", ""),
    "mouth_opening": ("lower", ""),
    "fid": ("lower", ""),
    "kid": ("lower", ""),
    "duration_error": ("lower", "s"),
    "size_error": ("lower", "px"),
    "sharpness": ("higher", ""),
    "jitter": ("lower", ""),
    "real_time_factor": ("lower", ""),
}


ALONE = {
    *("lip_closure", "mouth_opening", "fid", "kid", "duration_error", "size_error", "sharpness", "jitter"),
    "real_time_factor",
}
"""They look through no SyncNet."""


def test_directions_and_units() -> None:
    assert {metric.name: (metric.direction, metric.unit) for metric in METRICS} == WANTED


def test_which_are_of_the_whole_suite_and_which_are_timed() -> None:
    assert {metric.name for metric in METRICS if metric.whole_suite} == {"fid", "kid"}
    assert {metric.name for metric in METRICS if metric.needs_reference} == {"fid", "kid"}
    assert {metric.name for metric in METRICS if metric.timed} == {"real_time_factor"}
    assert {metric.name for metric in METRICS if metric.role == "lipsync"} == set(WANTED) - ALONE
