"""How large a video must be."""

from __future__ import annotations

from typing import Any

import pytest

from penstock.families.talking_head.video_size import Size, size_error


@pytest.mark.parametrize(
    ("video", "asked", "given", "value", "why"),
    [
        ((1920, 1080), (1920, 1080), {}, 0.0, ""),
        ((1080, 1920), (1920, 1080), {}, 840.0, "is 1080x1920 pixels, and 1920x1080 were asked for"),
        ((1920, 1088), (1920, 1080), {}, 8.0, "is 1920x1088 pixels, and 1920x1080 were asked for"),
        ((512, 640), None, {"min_resolution": 512}, 0.0, ""),
        ((496, 640), None, {"min_resolution": 512}, 16.0, "is 496x640 pixels, and the shorter side must have 512"),
        # the case's own word comes first
        ((256, 256), (256, 256), {"min_resolution": 512}, 0.0, ""),
    ],
)
def test_how_far_it_is_off(video: Size, asked: Size | None, given: dict[str, Any], value: float, why: str) -> None:
    found, said = size_error(video, asked, given)
    assert found == value
    assert why in said
    assert bool(said) == bool(value)


@pytest.mark.parametrize("least", [True, 0, -5, "512", 512.0])
def test_what_is_no_size_is_said(least: Any) -> None:
    assert size_error((256, 256), None, {"min_resolution": least}) == (
        "the parameter 'min_resolution' is no whole number of pixels above 0",
        "",
    )


def test_nobody_asked() -> None:
    value, why = size_error((256, 256), None, {"duration": 1.0})
    assert (value, why) == ("no size was asked for", "")
