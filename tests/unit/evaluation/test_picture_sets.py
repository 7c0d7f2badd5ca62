"""FID and KID of sets of pictures in files."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from penstock.evaluation.picture_sets import FeatureNetwork, frechet_score, read_pictures, score_frechet
from penstock.foundation.errors import UsageError
from penstock.metrics.frechet_statistics import PictureSet, save_statistics


def pictures(folder: Path, count: int, seed: int) -> Path:
    folder.mkdir()
    random = np.random.default_rng(seed)
    for index in range(count):
        cv2.imwrite(str(folder / f"{index}.png"), random.integers(0, 255, (32, 32, 3), np.uint8))
    return folder


def test_a_set_lies_at_no_distance_from_itself(tmp_path: Path) -> None:
    folder = pictures(tmp_path / "a", 3, 1)
    found = score_frechet(folder, str(folder))
    assert found.fid == pytest.approx(0, abs=1e-3)
    assert (found.n, found.n_reference) == (3, 3)
    assert (found.extractor or "").startswith("portrait-features@sha256:")


def test_statistics_stand_for_the_pictures(tmp_path: Path) -> None:
    a, b = pictures(tmp_path / "a", 3, 1), pictures(tmp_path / "b", 4, 2)
    save_statistics(read_pictures(b, FeatureNetwork(None)), tmp_path / "b.npz")
    assert score_frechet(a, tmp_path / "b.npz") == score_frechet(a, b)


def test_files_of_statistics_need_no_network(tmp_path: Path) -> None:
    features = np.random.default_rng(3).normal(size=(5, 4)).astype(np.float32)
    save_statistics(PictureSet.of(features, "mine@sha256:0"), tmp_path / "a.npz")
    found = score_frechet(tmp_path / "a.npz", tmp_path / "a.npz", weights=tmp_path / "there-is-none.onnx")
    assert found.extractor == "mine@sha256:0"


def test_one_picture_is_no_set(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="only one picture"):
        score_frechet(pictures(tmp_path / "a", 1, 1), tmp_path)


def test_other_networks_are_refused() -> None:
    features = np.eye(3, dtype=np.float32)
    with pytest.raises(UsageError, match="different extractors"):
        frechet_score(PictureSet.of(features, "a@sha256:0"), PictureSet.of(features, "b@sha256:0"))
