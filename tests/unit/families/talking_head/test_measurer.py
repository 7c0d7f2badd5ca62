"""How a talking head is measured."""

from __future__ import annotations

from penstock.families.talking_head.measurer import pixel_box


def test_face_box_is_a_share_of_the_frame() -> None:
    assert pixel_box(None, 200, 100) == (0, 0, 200, 100)
    assert pixel_box((0.45, 0.4, 0.1, 0.2), 200, 100) == (90, 40, 20, 20)
    assert pixel_box((0.999, 0.999, 0.001, 0.001), 200, 100) == (199, 99, 1, 1)
