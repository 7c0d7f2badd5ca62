"""Small pictures of a case's inputs; what cannot be shown is a reason."""

from __future__ import annotations

import base64
from pathlib import Path

import cv2
import numpy as np
import pytest

from penstock.contract.models import Case
from penstock.media.images import ImageLimits
from penstock.report import thumbs as module
from penstock.report.case_files import CaseFiles
from penstock.report.thumbs import GONE, Thumb, input_thumb, thumb_of


class Files:
    """A suite whose every case has one picture."""

    def __init__(self, image: Path) -> None:
        self.image = image

    def of(self, name: str) -> CaseFiles:
        return CaseFiles(
            {"image": self.image}, {}, {}, Case.model_validate({"name": name, "inputs": {"image": "a.png"}})
        )


def test_a_small_webp() -> None:
    thumb = thumb_of(np.full((30, 480, 3), 200, np.uint8))
    assert (thumb.width, thumb.height) == (240, 15)
    shown = cv2.imdecode(np.frombuffer(base64.b64decode(thumb.content), np.uint8), cv2.IMREAD_COLOR)
    assert np.abs(shown.astype(int) - 200).max() < 5


def test_reasons(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    image = tmp_path / "a.png"
    cv2.imwrite(str(image), np.zeros((40, 40, 3), np.uint8))
    files = Files(image)
    assert isinstance(input_thumb(files, "a", "image"), Thumb)  # type: ignore[arg-type]
    assert input_thumb(files, "a", "../../etc/passwd") == GONE  # type: ignore[arg-type]
    assert input_thumb(None, "a", "image") == GONE
    monkeypatch.setattr(module, "LIMITS", ImageLimits(pixels=1000))
    assert "40x40 pixels" in str(input_thumb(files, "a", "image"))  # type: ignore[arg-type]
    image.unlink()
    assert isinstance(input_thumb(files, "a", "image"), str)  # type: ignore[arg-type]
