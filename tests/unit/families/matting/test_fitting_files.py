"""The files of a case are held to fit what the model gets before any model is started."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from tests.unit.families.matting.drawn_clips import discs, write_clip
from tests.unit.families.matting.drawn_mattes import disc, save

from penstock.families.matting.case import MattingCase
from penstock.families.matting.fitting_files import check_files
from penstock.foundation.errors import UsageError

CASE = MattingCase(name="a", inputs={"image": "a.png"}, truth="t.png")


def test_a_clip_is_compared_with_a_clip(tmp_path: Path) -> None:
    found = {"truth": (write_clip(tmp_path / "t.mkv", discs()),)}
    case = MattingCase(name="a", inputs={"video": "v.mkv"}, truth="t.mkv")
    check_files(case, {"video": write_clip(tmp_path / "v.mkv", discs())}, found)
    with pytest.raises(UsageError, match=r"'t.mkv' has 4 frames, and the clip that the model gets has 3"):
        check_files(case, {"video": write_clip(tmp_path / "v.mkv", discs(3))}, found)


def test_the_photo_counts_as_it_stands_upright(tmp_path: Path) -> None:
    found = {"truth": (save(tmp_path / "t.png", disc()),)}
    lying = save(tmp_path / "photo.jpg", np.zeros((80, 60, 3), np.uint8)).read_bytes()
    turned = b"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0"
    photo = tmp_path / "photo.jpg"
    photo.write_bytes(lying[:2] + b"\xff\xe1" + (len(turned) + 2).to_bytes(2, "big") + turned + lying[2:])
    assert cv2.imread(str(photo)).shape[:2] == (60, 80)
    check_files(CASE, {"image": photo}, found)
    photo.write_bytes(lying)
    with pytest.raises(UsageError, match=r"'t.png' is 80x60 pixels, and the photo, upright, is 60x80"):
        check_files(CASE, {"image": photo}, found)
