"""Statistics of a picture set in a file: as good as the pictures, and refused where they do not fit together."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from penstock.foundation.errors import UsageError
from penstock.metrics.frechet import frechet_distance, kernel_distance
from penstock.metrics.frechet_statistics import PictureSet, check_name, distances, read_statistics, save_statistics

RNG = np.random.default_rng(1)
A, B = RNG.normal(size=(40, 6)), RNG.normal(0.5, 1.2, size=(30, 6))


def test_values_are_those_of_the_pictures(tmp_path: Path) -> None:
    save_statistics(PictureSet.of(A, "x@sha256:1"), tmp_path / "a.npz")
    read = read_statistics(tmp_path / "a.npz")
    assert (read.extractor, read.n) == ("x@sha256:1", 40)
    fid, kid = distances(read, PictureSet.of(B, "x@sha256:1"))
    assert fid == pytest.approx(frechet_distance(A, B), rel=1e-9)
    assert kid == pytest.approx(kernel_distance(A, B), rel=1e-9)


def test_statistics_of_another_program_give_a_fid_and_no_kid(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", mu=A.mean(axis=0), sigma=np.cov(A, rowvar=False))
    fid, kid = distances(read_statistics(tmp_path / "a.npz"), PictureSet.of(B, None))
    assert fid == pytest.approx(frechet_distance(A, B), rel=1e-6)
    assert kid is None


def test_sets_through_two_networks_are_not_compared() -> None:
    with pytest.raises(UsageError):
        distances(PictureSet.of(A, "x@sha256:1"), PictureSet.of(B, "y@sha256:2"))
    with pytest.raises(UsageError):
        distances(PictureSet.of(A, "x"), PictureSet.of(B[:, :3], "x"))
    with pytest.raises(UsageError):
        PictureSet.of(A[:1], "x")


@pytest.mark.parametrize(
    "arrays",
    [
        {"mu": A.mean(axis=0)},
        {"mu": A.mean(axis=0), "sigma": np.eye(5)},
        {"mu": np.full(6, np.nan), "sigma": np.eye(6)},
        {"mu": A.mean(axis=0), "sigma": -np.eye(6)},
        {"mu": np.array([object()] * 6, dtype=object), "sigma": np.eye(6)},
    ],
)
def test_numbers_that_do_not_fit_together_are_refused(tmp_path: Path, arrays: dict[str, np.ndarray]) -> None:
    np.savez(tmp_path / "a.npz", **arrays)
    with pytest.raises(UsageError):
        read_statistics(tmp_path / "a.npz")


def test_name_is_refused_before_any_work(tmp_path: Path) -> None:
    check_name(Path("a.npz"))
    for name in ("a.npy", "a", "a.npz.txt"):
        with pytest.raises(UsageError):
            check_name(Path(name))
    with pytest.raises(UsageError):
        save_statistics(PictureSet.of(A, "x"), tmp_path / "a.txt")
