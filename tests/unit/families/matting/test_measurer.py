"""What is measured of a cut-out, and the reason where it is none."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from tests.unit.families.matting.drawn_mattes import cutout, disc, save

from penstock.bundle.models import Invocation
from penstock.contract.models import Case
from penstock.families.matting.case import MattingCase
from penstock.families.matting.measurer import NAMES, MattingMeasurer, examine
from penstock.families.matting.metrics import METRICS

CASE = MattingCase(name="a", inputs={"image": "a.png"}, truth="t.png")
CALL = Invocation(case="a", status="ok", output="outputs/a/output.png")


def truth(folder: Path, picture: Any = None, name: str = "t.png") -> dict[str, tuple[Path, ...]]:
    return {"truth": (save(folder / name, disc() if picture is None else picture),)}


def test_every_metric_has_a_value_or_a_reason(tmp_path: Path) -> None:
    files = truth(tmp_path) | {"foreground": (save(tmp_path / "f.png", np.full((60, 80, 3), 120, np.uint8)),)}
    outputs = {"": save(tmp_path / "a.png", cutout(disc()))}
    answer = MattingMeasurer({}, None).case(CASE, CALL, outputs, {}, {}, files)
    assert set(answer.values) == {metric.name for metric in METRICS} == set(NAMES)
    assert (answer.values["mae"], answer.values["hd95"], answer.values["fringe"]) == (0.0, 0.0, pytest.approx(0.0))
    assert answer.floors == {}
    assert answer.series is not None
    assert answer.series["size"] == [80, 60]


def test_values_are_means_over_the_truths_and_the_floor_is_their_distance(tmp_path: Path) -> None:
    first, second, third = (np.full((60, 80), value, np.uint8) for value in (255, 204, 153))
    files = {"truth": tuple(save(tmp_path / f"{n}.png", picture) for n, picture in enumerate((first, second, third)))}
    answer = examine(save(tmp_path / "a.png", cutout(first)), files, {})
    assert answer.values["mae"] == pytest.approx((0 + 0.2 + 0.4) / 3)
    assert answer.floors["mae"] == pytest.approx((0.2 + 0.4 + 0.2) / 3)
    assert answer.floors["iou"] == 0.0  # all three are full at 0.5
    assert answer.values["fringe"] == "the case names no foreground"


def test_a_floor_is_a_distance_where_higher_is_better_too(tmp_path: Path) -> None:
    one, other = np.zeros((60, 80), np.uint8), np.zeros((60, 80), np.uint8)
    one[:, :40], other[:, :20] = 255, 255
    files = {"truth": (save(tmp_path / "1.png", one), save(tmp_path / "2.png", other))}
    answer = examine(save(tmp_path / "a.png", cutout(one)), files, {})
    assert answer.values["iou"] == pytest.approx((1 + 0.5) / 2)
    assert answer.floors["iou"] == pytest.approx(0.5)


def test_equal_truths_are_no_distance_apart_by_any_metric(tmp_path: Path) -> None:
    files = {"truth": (*truth(tmp_path)["truth"], *truth(tmp_path, name="u.png")["truth"])}
    floors = examine(save(tmp_path / "a.png", cutout(disc())), files, {}).floors
    assert floors == dict.fromkeys(set(NAMES) - {"fringe", "dtssd"}, 0.0)


def test_one_truth_without_an_edge_leaves_no_value_and_no_floor(tmp_path: Path) -> None:
    empty = save(tmp_path / "e.png", np.zeros((60, 80), np.uint8))
    files = {"truth": (*truth(tmp_path)["truth"], empty)}
    answer = examine(save(tmp_path / "a.png", cutout(disc())), files, {})
    assert isinstance(answer.values["hd95"], str)
    assert "hd95" not in answer.floors


def test_a_large_photo_comes_back_scaled_and_the_truth_follows(tmp_path: Path) -> None:
    large = disc((240, 180), 60)
    small = cv2.resize(large.astype(np.float64), (80, 60), interpolation=cv2.INTER_AREA)
    file = save(tmp_path / "a.png", cutout(np.rint(small).astype(np.uint8)))
    answer = examine(file, truth(tmp_path, large), {"scale_over": 200, "scale_to": 80})
    assert answer.values["mae"] == pytest.approx(0, abs=0.5 / 255)
    wrong = examine(file, truth(tmp_path, large), {})
    assert set(wrong.values.values()) == {"the answer is 80x60 pixels where 240x180 are wanted"}


@pytest.mark.parametrize(
    ("name", "picture", "reason"),
    [
        ("a.jpg", cutout(disc())[:, :, :3], "the output is not a PNG with alpha: this is a JPEG picture"),
        ("a.png", cutout(disc())[:, :, :3], "the output is not a PNG with alpha: the picture has no alpha"),
        ("a.png", cutout(disc((60, 80))), "orientation (EXIF) was not heeded"),
        ("a.png", cutout(disc((81, 60))), "the answer is 81x60 pixels where 80x60 are wanted"),
    ],
)
def test_what_is_no_cutout_of_the_photo_has_the_reason_everywhere(
    tmp_path: Path, name: str, picture: Any, reason: str
) -> None:
    answer = examine(save(tmp_path / name, picture), truth(tmp_path), {})
    assert set(answer.values) == set(NAMES)
    (only,) = set(answer.values.values())
    assert reason in str(only)


def test_a_case_of_several_calls_is_no_cutout() -> None:
    answer = MattingMeasurer({}, None).case(Case(name="a", inputs={}), CALL, {"x": Path("x")}, {}, {}, {})
    assert "several calls" in str(answer.values["mae"])
    assert list(MattingMeasurer({}, None).suite(["a"], [answer])) == []
