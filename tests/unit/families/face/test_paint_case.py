"""The photo of a case, or both of a pair, and what was said of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from tests.unit.families.face.answers import compare, feature, image, pair, written

from penstock.families.face import paint_case as module
from penstock.families.face.case import FaceCase
from penstock.families.face.paint_case import BETWEEN, GONE, paint_case
from penstock.media.images import ImageLimits
from penstock.report.case_files import CaseFiles
from penstock.report.still_pictures import Marks


def files(folder: Path, case: FaceCase, **given: Any) -> CaseFiles:
    inputs = {}
    for name, size in zip(case.inputs, ((40, 60), (30, 80)), strict=False):
        inputs[name] = folder / f"{name}.png"
        cv2.imwrite(str(inputs[name]), np.full((size[1], size[0], 3), 120, np.uint8))
    return CaseFiles(inputs, {}, given, case)


def said(folder: Path, case: FaceCase, answer: Any, **given: Any) -> list[tuple[str, str]]:
    marks = paint_case(files(folder, case, **given), {"candidate": written(folder, answer)}).answers["candidate"][
        "said"
    ]
    assert isinstance(marks, Marks)
    assert marks.boxes == []
    return [(word.text, word.kind) for word in marks.words]


@pytest.mark.parametrize(
    ("quality", "ood", "kind"),
    [(0.9, None, "right"), (0.6, "blur", "wrong"), (0.5, None, "plain"), (0.1, None, "wrong"), (0.1, "blur", "right")],
)
def test_an_image(tmp_path: Path, quality: float, ood: str | None, kind: str) -> None:
    found = said(tmp_path, image("a", "<Ann>", ood=ood), feature(quality_score=quality))
    assert found[0][0].startswith(f"quality {quality:.3f}: ")
    assert found[0][1] == kind
    assert found[1:] == [("<Ann>", "plain")] + ([("kind: blur", "plain")] if ood else [])


def test_a_pair_side_by_side(tmp_path: Path) -> None:
    case = pair("p", False, ["Ann", "Bob"])
    painted = paint_case(files(tmp_path, case), {})
    photo = painted.of_case["photo"]
    assert isinstance(photo, np.ndarray)
    assert photo.shape == (80, 40 + BETWEEN + 30, 3)
    assert said(tmp_path, case, compare(advice="Come closer.")) == [
        ("similarity 0.700", "plain"),
        ("decision: pass", "right"),
        ("quality 0.900 and 0.850", "plain"),
        ("advice: Come closer.", "plain"),
        ("two people", "plain"),
        ("Ann", "plain"),
        ("Bob", "plain"),
    ]
    wrong = said(tmp_path, case, compare(quality_score1=0.1))
    assert ("decision: pass", "wrong") in wrong
    assert wrong[3][1] == "wrong"
    assert "the decision must be 'refused'" in wrong[3][0]
    assert said(tmp_path, case, compare(similarity=None, decision="refused"))[0] == ("no similarity", "plain")


def test_what_cannot_be_shown_is_a_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    case = image("a", "Ann")
    assert said(tmp_path, case, "<html>")[0][1] == "wrong"
    assert said(tmp_path, case, feature(), feature_length=3)[0] == (
        "'feature' has 512 values where 3 are promised",
        "wrong",
    )
    gone = paint_case(None, {"baseline": tmp_path})
    assert gone.of_case["photo"] == gone.answers["baseline"]["said"] == GONE
    monkeypatch.setattr(module, "LIMITS", ImageLimits(pixels=100))
    assert "image: the picture is 40x60 pixels" in str(paint_case(files(tmp_path, case), {}).of_case["photo"])
