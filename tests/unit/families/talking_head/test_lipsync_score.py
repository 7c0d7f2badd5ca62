"""Lip sync of one video, as a function."""

from __future__ import annotations

import tarfile
from pathlib import Path

import pytest

from penstock.bundle.directory import Bundle
from penstock.families.talking_head.lipsync_clip import Protocol
from penstock.families.talking_head.lipsync_score import score_lipsync
from penstock.foundation.errors import UsageError

STORE = Path(__file__).parents[3] / "fixtures" / "formats" / "v1" / "store.tar.xz"
SECOND = "runs/tiny-portrait/second"


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    folder = tmp_path_factory.mktemp("store")
    with tarfile.open(STORE) as archive:
        archive.extractall(folder, filter="data")
    return Bundle(folder / SECOND)


def test_as_a_release_measures_it(bundle: Bundle) -> None:
    """The video of an archived run, in the box of its suite: the value of the archive."""
    found = score_lipsync(bundle.outputs / "one" / "output.mp4", face_box=(16, 10, 32, 32))
    then = {found.metric: found for found in bundle.measurements() if found.case == "one"}
    assert found.lse_d == pytest.approx(then["lse_d"].value, rel=1e-5)
    assert found.lse_c == pytest.approx(then["lse_c"].value, rel=1e-4)
    assert found.offset_frames == then["av_offset"].value
    assert found.extractor == then["lse_d"].extractor
    assert found.protocol is Protocol.DIRECT


def test_what_it_refuses(bundle: Bundle, tmp_path: Path) -> None:
    video = bundle.outputs / "one" / "output.mp4"
    with pytest.raises(UsageError, match="'fast' is not a protocol"):
        score_lipsync(video, protocol="fast")
    with pytest.raises(UsageError, match="face_box: the box '1,1,0,5' is empty"):
        score_lipsync(video, face_box=(1, 1, 0, 5))
    with pytest.raises(UsageError, match="face_box: a face's box is 4 numbers, not 3"):
        score_lipsync(video, face_box=(1, 1, 5))  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="the file is missing"):
        score_lipsync(tmp_path / "nothing.mp4")
