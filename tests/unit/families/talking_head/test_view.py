"""What the report shows beside a video."""

from __future__ import annotations

from penstock.families.talking_head.view import VIEW


def test_lanes_have_names_and_keys_of_their_own() -> None:
    assert len({lane.name for lane in VIEW.lanes}) == len(VIEW.lanes) == len({lane.key for lane in VIEW.lanes})
