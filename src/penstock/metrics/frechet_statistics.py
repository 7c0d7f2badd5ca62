"""What FID and KID need of a picture set, kept in a file: a reference set is put through the network only once.

The file is NumPy's ``.npz``. ``mu`` (d,) and ``sigma`` (d, d) are the mean and the unbiased covariance, the names that
pytorch-fid and its successors use, so that each can read the other's files. Beside them stand ``features`` (n, d) as
the network gave them, which KID needs and from which FID is the same to the last digit as from the pictures, ``n`` and
``extractor``, the network's ``name@sha256:…``.
"""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from penstock.foundation.errors import UsageError
from penstock.foundation.files import disk_errors, open_regular, replacing
from penstock.foundation.media_kinds import IS_LFS_POINTER, LFS_POINTER, PULL
from penstock.metrics.frechet import (
    Features,
    Matrix,
    distance_of_moments,
    frechet_distance,
    gram_factor,
    kernel_distance,
)

SUFFIX = ".npz"
MAX_BYTES = 4 << 30
"""Of a file, and of what it unpacks to: 100,000 pictures of 2048 features have 0.8 GB."""
_ADVICE = "Make it anew with 'penstock score frechet DIR --save FILE.npz'."
_ASYMMETRY = 1e-6
"""A covariance may be so far from symmetric, or below 0, as a share of its largest entry."""


@dataclass(frozen=True)
class PictureSet:
    """Statistics of a set of pictures.

    Attributes:
        mean: float64 ``(d,)``.
        factor: float64 ``(k, d)``; ``factorᵀ factor`` is the unbiased covariance.
        features: float32 ``(n, d)``, one row a picture; ``None``: they are not known, and there is no KID.
        extractor: ``name@sha256:…``; ``None``: the file does not say it.
        n: number of pictures; ``None``: the file does not say it.
    """

    mean: Matrix
    factor: Matrix
    features: Features | None
    extractor: str | None
    n: int | None

    @classmethod
    def of(cls, features: Features, extractor: str | None) -> PictureSet:
        """The statistics of features, float ``(n, d)``, n ≥ 2, with the label of the network that gave them.

        Raises:
            UsageError: fewer than two rows.
        """
        if len(features) < 2:
            raise UsageError("there is only one picture", todo="Give at least two pictures or frames.")
        rows = np.asarray(features, np.float64)
        mean = rows.mean(axis=0)
        factor = gram_factor(rows - mean) / np.sqrt(len(rows) - 1)
        return cls(mean, factor, features, extractor, len(features))


def distances(a: PictureSet, b: PictureSet) -> tuple[float, float | None]:
    """FID and KID of two sets; no KID where the features of one are not known.

    Raises:
        UsageError: they come from different extractors, or have not the same number of features.

    Example:
        >>> features = np.random.default_rng(1).normal(size=(50, 4)).astype(np.float32)
        >>> a = PictureSet.of(features, "mine@sha256:0")
        >>> b = PictureSet.of(features + 1, "mine@sha256:0")
        >>> fid, kid = distances(a, b)
        >>> round(fid, 4), kid > 0
        (4.0, True)
    """
    if a.extractor is not None and b.extractor is not None and a.extractor != b.extractor:
        raise UsageError(
            f"the sets were made with different extractors: {a.extractor} and {b.extractor}",
            todo="Use one extractor and one precision for both (--weights, --precision).",
        )
    if a.features is not None and b.features is not None:
        return frechet_distance(a.features, b.features), kernel_distance(a.features, b.features)
    if a.mean.shape != b.mean.shape:
        raise UsageError(
            f"the sets have {a.mean.size} and {b.mean.size} features an image", todo="Use one extractor for both."
        )
    gap = a.mean - b.mean
    traces = float(np.vdot(a.factor, a.factor)) + float(np.vdot(b.factor, b.factor))
    return distance_of_moments(float(gap @ gap) + traces, a.factor @ b.factor.T), None


def check_name(path: Path) -> None:
    """Refuse a name that :func:`read_statistics` would not be asked for, before any picture is looked at.

    Raises:
        UsageError: the name does not end in ``.npz``.

    Example:
        >>> check_name(Path("pictures.npz"))
        >>> check_name(Path("pictures.txt"))
        Traceback (most recent call last):
        penstock.foundation.errors.UsageError: pictures.txt: statistics are kept in a file that ends in .npz
    """
    if path.suffix != SUFFIX:
        raise UsageError(f"statistics are kept in a file that ends in {SUFFIX}", where=str(path))


def save_statistics(pictures: PictureSet, path: Path) -> None:
    """Write a set's statistics, whole or not at all.

    Raises:
        UsageError: the name does not end in ``.npz``, or it cannot be written there.
        WorldError: the disk is full.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     save_statistics(PictureSet.of(np.eye(3, dtype=np.float32), "mine@sha256:0"), Path(folder) / "a.npz")
        ...     read_statistics(Path(folder) / "a.npz").extractor
        'mine@sha256:0'
    """
    check_name(path)
    arrays = {"mu": pictures.mean, "sigma": pictures.factor.T @ pictures.factor}
    if pictures.features is not None:
        arrays["features"] = np.asarray(pictures.features)
    if pictures.n is not None:
        arrays["n"] = np.array(pictures.n)
    if pictures.extractor is not None:
        arrays["extractor"] = np.array(pictures.extractor)
    with disk_errors(path), replacing(path) as temporary, temporary.open("wb") as file:
        np.savez(file, **arrays)  # type: ignore[arg-type, unused-ignore]


def read_statistics(path: Path) -> PictureSet:
    """Read statistics, ours or those of another program that keeps ``mu`` and ``sigma``. The file is not trusted.

    Raises:
        UsageError: it is no such file, is too large, or its numbers do not fit together.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:  # as another program writes it
        ...     np.savez(Path(folder) / "b.npz", mu=np.zeros(4), sigma=np.eye(4))
        ...     found = read_statistics(Path(folder) / "b.npz")
        >>> found.mean.shape, found.n, found.extractor
        ((4,), None, None)
    """
    with open_regular(path, where=str(path)) as file:
        if not (head := file.read(len(LFS_POINTER))):
            raise _bad(path, "the file is empty")
        if head == LFS_POINTER:
            raise UsageError(IS_LFS_POINTER, where=str(path), todo=PULL)
        file.seek(0)
        try:
            with zipfile.ZipFile(file) as archive:
                size = sum(entry.file_size for entry in archive.infolist())
            if size > MAX_BYTES:
                raise _bad(path, f"it unpacks to {size >> 20} MiB, more than {MAX_BYTES >> 20}")
            file.seek(0)
            with np.load(file, allow_pickle=False) as arrays:
                found = {name: arrays[name] for name in ("mu", "sigma", "features", "n", "extractor") if name in arrays}
        except UsageError:
            raise
        except Exception as error:  # zipfile, zlib and NumPy raise a dozen kinds for a damaged file
            raise _bad(path, f"it cannot be read: {' '.join(str(error).split())[:200]}") from error
    extractor = str(found["extractor"]) if found.get("extractor", np.empty(1)).dtype.kind == "U" else None
    if (features := found.get("features")) is not None:
        if features.ndim != 2 or features.dtype.kind != "f" or len(features) < 2 or not features.shape[1]:
            raise _bad(path, f"its features have the shape {features.shape} and the type {features.dtype}")
        if not np.isfinite(features).all():
            raise _bad(path, "it holds numbers that are not finite")
        return PictureSet.of(features, extractor)
    return _from_moments(path, found, extractor)


def _from_moments(path: Path, found: dict[str, npt.NDArray[np.generic]], extractor: str | None) -> PictureSet:
    if "mu" not in found or "sigma" not in found:
        raise _bad(path, "it has neither 'features' nor 'mu' and 'sigma'")
    mean, sigma = found["mu"], found["sigma"]
    if mean.ndim != 1 or sigma.shape != (mean.size, mean.size) or not mean.size:
        raise _bad(path, f"'mu' has the shape {mean.shape}, 'sigma' {sigma.shape}")
    if mean.dtype.kind != "f" or sigma.dtype.kind != "f" or not (np.isfinite(mean).all() and np.isfinite(sigma).all()):
        raise _bad(path, "it holds something else than finite numbers")
    covariance = np.asarray(sigma, np.float64)
    slack = _ASYMMETRY * float(np.abs(covariance).max(initial=0.0))
    values, vectors = np.linalg.eigh((covariance + covariance.T) / 2)
    if float(np.abs(covariance - covariance.T).max()) > slack or values[0] < -slack * mean.size:
        raise _bad(path, "'sigma' is not a covariance: it is not symmetric, or has values below 0")
    factor = np.asarray(np.sqrt(np.maximum(values, 0.0))[:, None] * vectors.T)
    count = found.get("n")
    n = int(count) if count is not None and count.shape == () and count.dtype.kind in "iu" else None
    return PictureSet(np.asarray(mean, np.float64), factor, None, extractor, n)


def _bad(path: Path, why: str) -> UsageError:
    return UsageError(f"this is not a file of picture statistics: {why}", where=str(path), todo=_ADVICE)
