"""What the report shows of a cut-out."""

from __future__ import annotations

import re

from penstock.families.matting.metrics import METRICS
from penstock.families.matting.view import VIEW


def test_names_are_plain_and_of_one_picture_each() -> None:
    assert VIEW.stills is not None
    names = [still.name for still in (*VIEW.stills.of_case, *VIEW.stills.of_answer)]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch("[a-z]+", name) for name in names)


def test_lanes_are_metrics_of_a_clip_by_frame_with_keys_of_their_own() -> None:
    assert {lane.series for lane in VIEW.lanes} <= {metric.name for metric in METRICS}
    keys = {lane.key for lane in VIEW.lanes}
    assert len(keys) == len(VIEW.lanes)
    assert not keys & set("bmlnpszwv"), "these are the viewer's own"
