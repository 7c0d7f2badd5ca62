"""What a file of a suite shows."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

import cv2
import numpy as np
import pytest

from penstock.foundation.errors import UsageError
from penstock.suites.fingerprints import EVERY, Fingerprint, fingerprint_of, fingerprints

CLIPS = Path(__file__).resolve().parents[3] / "test-assets" / "models" / "sonic-lite" / "base" / "suite" / "reference"


def test_a_picture_has_a_hash_and_a_text_has_none(tmp_path: Path) -> None:
    picture, text = tmp_path / "a.png", tmp_path / "b.png"
    cv2.imwrite(str(picture), (np.arange(64 * 64 * 3) % 251).astype(np.uint8).reshape(64, 64, 3))
    text.write_text("no picture")
    found = fingerprints([picture, text, picture])
    assert list(found) == [picture, text]
    assert len(found[picture].hashes) == 1
    assert found[text] == Fingerprint(sha256(b"no picture").hexdigest())


def test_a_broken_picture_is_known_by_its_bytes_alone(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "a.png"), np.zeros((64, 64, 3), np.uint8))
    half = (tmp_path / "a.png").read_bytes()[:60]
    (tmp_path / "b.png").write_bytes(half)
    assert fingerprint_of(tmp_path / "b.png") == Fingerprint(sha256(half).hexdigest())


@pytest.mark.slow
def test_a_video_has_three() -> None:
    first, second = sorted(CLIPS.glob("*.mp4"))[:2]
    assert len(fingerprint_of(first).hashes) == 3
    assert fingerprint_of(first) == fingerprint_of(first) != fingerprint_of(second)


def test_progress_is_told(tmp_path: Path) -> None:
    files = [tmp_path / f"{number}.txt" for number in range(EVERY + 5)]
    for file in files:
        file.write_text(file.name)
    told: list[tuple[int, int]] = []
    fingerprints(files, lambda done, of: told.append((done, of)))
    assert told == [(EVERY, EVERY + 5)]


def test_a_file_that_is_missing(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="missing"):
        fingerprints([tmp_path / "none.png"])
