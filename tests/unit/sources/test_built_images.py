"""Which images were built from which files."""

from __future__ import annotations

from pathlib import Path

import pytest

from penstock.bundle.models import Image
from penstock.sources.built_images import find_built, keep_built

IMAGE = Image(
    kind="image", url="r:5000/m", digest="sha256:" + "d" * 64, key="k" * 64, directory="/m", built_from="c" * 40
)


def test_an_image_is_found_by_its_files_and_place(tmp_path: Path) -> None:
    keep_built(tmp_path, IMAGE)
    assert find_built(tmp_path, IMAGE.url, IMAGE.key) == IMAGE
    assert find_built(tmp_path, IMAGE.url, "x" * 64) is None
    assert find_built(tmp_path, "other:5000/m", IMAGE.key) is None
    assert find_built(None, IMAGE.url, IMAGE.key) is None
    keep_built(None, IMAGE)


def test_a_damaged_record_is_passed_over(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    keep_built(tmp_path, IMAGE)
    (file,) = (tmp_path / "images").iterdir()
    file.write_text("{")
    assert find_built(tmp_path, IMAGE.url, IMAGE.key) is None
    assert "passed over" in caplog.text
