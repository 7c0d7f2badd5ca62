"""What is measured of a clip: means over its frames, flicker, the worst frames; or the reason where it is none."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.unit.families.matting.drawn_clips import PNG, SIZE, VP9, cutouts, discs, write_clip, write_cutouts

from penstock.bundle.models import Invocation
from penstock.families.matting.case import MattingCase
from penstock.families.matting.clip_values import ClipValues, examine_clip
from penstock.families.matting.files_of_case import CaseTruth
from penstock.families.matting.matte_pair import score_pair
from penstock.families.matting.measurer import NAMES, MattingMeasurer
from penstock.foundation.errors import UsageError
from penstock.media.alpha_frames import AlphaFrame

Files = dict[str, tuple[Path, ...]]
TRUE = discs()


@pytest.fixture
def truth(tmp_path: Path) -> Files:
    return {"truth": (write_clip(tmp_path / "truth.mkv", TRUE),)}


def test_values_are_means_over_the_frames_and_the_worst_frame_is_kept(tmp_path: Path, truth: Files) -> None:
    given = [frame.copy() for frame in TRUE]
    given[2][:, :40] = 0  # half of the disc is missing in the third frame
    answer = examine_clip(write_cutouts(tmp_path / "a.mov", given, **PNG), truth, {})
    expected = [score_pair(one / 255, other / 255) for one, other in zip(given, TRUE, strict=True)]
    for name in ("mae", "sad", "iou", "hd95", "uea", "hce"):
        values = [frame[name] for frame in expected]
        assert answer.values[name] == pytest.approx(np.mean(values))  # type: ignore[arg-type]
        assert answer.series is not None
        assert answer.series[name] == pytest.approx(values, rel=1e-5)
    assert set(answer.values) == set(NAMES)
    changes = np.sqrt(np.mean(np.square(given[2] / 255 - TRUE[2] / 255))) * 100
    assert answer.values["dtssd"] == pytest.approx(2 * changes / 3)
    assert answer.series is not None
    first, *flicker = answer.series["dtssd"]
    assert first is None
    assert flicker == pytest.approx([0.0, changes, changes], rel=1e-5)
    assert (answer.series["worst_frame"]["mae"], answer.series["worst_frame"]["iou"]) == (2, 2)
    assert (answer.series["edge_frame"], answer.series["frames"], answer.series["size"]) == (2, 4, list(SIZE))
    assert answer.series["worst_edge"]["edge"] == "truth"


def test_vp9_with_alpha_is_close_to_the_truth_and_the_measurer_takes_it(tmp_path: Path, truth: Files) -> None:
    case = MattingCase(name="a", inputs={"video": "a.mp4"}, truth="truth.mkv")
    outputs = {"": write_cutouts(tmp_path / "a.webm", TRUE, **VP9)}
    call = Invocation(case="a", status="ok", output="outputs/a/output.webm")
    answer = MattingMeasurer({}, None).case(case, call, outputs, {"video": tmp_path / "a.mp4"}, {}, truth)
    assert isinstance(answer.values["mae"], float)
    assert answer.values["mae"] < 1 / 255
    assert answer.values["dtssd"] == pytest.approx(0, abs=0.4)
    assert answer.values["fringe"] == "the case names no foreground"


def test_several_truths_and_their_floor(tmp_path: Path) -> None:
    full, less = ([np.full((60, 80), value, np.uint8)] * 3 for value in (255, 204))
    blinks = [full[0], less[0], full[0]]
    files = {"truth": (write_clip(tmp_path / "1.mkv", full), write_clip(tmp_path / "2.mkv", blinks))}
    answer = examine_clip(write_clip(tmp_path / "a.mkv", full), files, {})
    assert answer.values["mae"] == pytest.approx((0 + 0.2 / 3) / 2)
    assert answer.values["dtssd"] == pytest.approx((0 + 20) / 2)
    assert answer.floors["mae"] == pytest.approx(0.2 / 3)
    assert answer.floors["dtssd"] == pytest.approx(20)


@pytest.mark.slow
def test_fringe_trimap_and_a_clip_that_comes_back_smaller(tmp_path: Path, truth: Files) -> None:
    colours = [np.full((60, 80, 3), 120, np.uint8)] * 4
    unknown = [np.pad(np.full((10, 80), 128, np.uint8), ((0, 50), (0, 0)))] * 4
    files = truth | {
        "foreground": (write_clip(tmp_path / "f.mov", colours, codec="png", pix_fmt="rgb24", source="rgb24"),),
        "trimap": (write_clip(tmp_path / "t.mkv", unknown),),
    }
    wrong = [np.where(np.arange(60)[:, None] < 10, 51, frame).astype(np.uint8) for frame in TRUE]
    answer = examine_clip(write_cutouts(tmp_path / "a.mov", wrong, **PNG), files, {})
    assert answer.values["mae"] == pytest.approx(0.2)
    right = examine_clip(write_cutouts(tmp_path / "b.mov", TRUE, **PNG), files, {})
    assert (right.values["mae"], right.values["fringe"]) == (0.0, pytest.approx(0.0, abs=1e-6))
    white = examine_clip(
        write_clip(tmp_path / "c.mov", cutouts(TRUE, 255), codec="png", pix_fmt="rgba", source="rgba"), files, {}
    )
    assert isinstance(white.values["fringe"], float)
    assert white.values["fringe"] > 10
    grey = examine_clip(write_clip(tmp_path / "g.mkv", TRUE), files, {})
    assert grey.values["fringe"] == "frame 1: the answer has no colours"
    small = [np.full((30, 40), 255, np.uint8)] * 4
    scaled = examine_clip(write_cutouts(tmp_path / "s.mov", small, **PNG), truth, {"scale_over": 60, "scale_to": 40})
    assert scaled.series is not None
    assert scaled.series["size"] == [40, 30]
    assert scaled.series["fps"] == 25


def test_a_frame_without_a_value_leaves_the_clip_without_one_unless_the_truth_has_none_either() -> None:
    empty, disc = np.zeros((60, 80)), TRUE[0] / 255
    found = ClipValues()
    for answer, truth in ((disc, disc), (empty, empty)):
        found.look(AlphaFrame(answer, None), truth, CaseTruth((truth,), None, None))
    assert isinstance(found.values()["mba"], float)  # an empty truth has no contour: nothing to measure, nobody's fault
    assert found.values()["hd95"] == 0
    found.look(AlphaFrame(empty, None), disc, CaseTruth((disc,), None, None))
    assert found.values()["hd95"] == "frame 3: the prediction is empty: it has no edge"


@pytest.mark.parametrize(
    ("name", "frames", "form", "reason"),
    [
        ("a.mov", cutouts(discs(3)), PNG, "the answer has 3 frames where 4 are wanted"),
        ("a.mov", cutouts(discs(5)), PNG, "the answer has more than the 4 frames that are wanted"),
        ("a.mov", cutouts(discs(4, (80, 61))), PNG, "the answer is 80x61 pixels where 80x60 are wanted"),
        ("a.mov", cutouts(discs(4, (60, 80))), PNG, "the answer is 60x80 pixels where 80x60 are wanted"),
        ("a.webm", cutouts(TRUE), {"codec": "libvpx-vp9", "pix_fmt": "yuv420p"}, "VALUES"),
    ],
)
def test_what_is_no_answer_to_the_clip_has_the_reason_everywhere(
    tmp_path: Path, truth: Files, name: str, frames: Any, form: Any, reason: str
) -> None:
    answer = examine_clip(write_clip(tmp_path / name, frames, source="rgba", **form), truth, {})
    assert set(answer.values) == set(NAMES)
    if reason == "VALUES":  # grey all over and without alpha: a grey clip of an alpha that is wrong
        assert isinstance(answer.values["mae"], float)
        assert answer.values["mae"] > 0.2
        return
    (only,) = set(answer.values.values())
    assert str(only).startswith(reason)


@pytest.mark.parametrize(
    ("content", "what"),
    [(b"", "the file is empty"), (b"\x89PNG\r\n\x1a\n", "PNG picture"), (b"<html></html>", "no image, sound or video")],
)
def test_what_is_no_clip(tmp_path: Path, truth: Files, content: bytes, what: str) -> None:
    path = tmp_path / "a.webm"
    path.write_bytes(content)
    (only,) = set(examine_clip(path, truth, {}).values.values())
    assert "the output is not a clip with alpha, at frame 1" in str(only)
    assert what in str(only)


@pytest.mark.slow
def test_a_fault_of_the_suite_is_no_reason(tmp_path: Path, truth: Files) -> None:
    answer = write_cutouts(tmp_path / "a.mov", TRUE, **PNG)
    with pytest.raises(UsageError, match=r"'short.mkv' ends after 3 frames, and truth.mkv goes on"):
        examine_clip(answer, {"truth": (*truth["truth"], write_clip(tmp_path / "short.mkv", TRUE[:3]))}, {})
