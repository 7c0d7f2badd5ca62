"""FID and KID of two sets of pictures that lie in files: what ``penstock score frechet`` prints."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from penstock.contract.arithmetic import DEFAULT, Arithmetic, Precision
from penstock.extractors.image_features import ImageFeatures
from penstock.extractors.precision import PRECISIONS, choose_arithmetic, one_of
from penstock.extractors.shipped import extractor_file
from penstock.foundation.errors import UsageError
from penstock.media.sets import FPS, read_set
from penstock.media.video import read_frames
from penstock.metrics.frechet_statistics import SUFFIX, PictureSet, distances, read_statistics


class FeatureNetwork:
    """The feature network, loaded when a set of pictures first needs it."""

    def __init__(self, weights: Path | None, arithmetic: Arithmetic = DEFAULT) -> None:
        """Name the network.

        Args:
            weights: its ONNX file; by default the one that ``PENSTOCK_FRECHET`` names, else the stand-in.
            arithmetic: how it is computed.
        """
        self._weights = weights
        self._arithmetic = arithmetic
        self._loaded: ImageFeatures | None = None

    def get(self) -> ImageFeatures:
        """The network.

        Raises:
            UsageError: it cannot be read, or is no image-feature network.
        """
        if self._loaded is None:
            file = extractor_file("image-features", self._weights)
            self._loaded = ImageFeatures.load(file, arithmetic=self._arithmetic)
        return self._loaded


def read_pictures(path: Path, network: FeatureNetwork) -> PictureSet:
    """The statistics of a set: a directory of pictures and videos, a video, or a file of statistics (``.npz``).

    Raises:
        UsageError: it cannot be read, or has fewer than two pictures.
    """
    if path.suffix == SUFFIX and path.is_file():
        return read_statistics(path)
    features = network.get().features(read_set(path) if path.is_dir() else read_frames(path, fps=FPS))
    if len(features) < 2:
        raise UsageError("there is only one picture", where=str(path), todo="Give at least two pictures or frames.")
    return PictureSet.of(features, network.get().label)


@dataclass(frozen=True)
class FrechetScore:
    """How far two sets of pictures lie from each other.

    Attributes:
        fid: at least 0; lower is better.
        kid: lower is better, may be below 0; ``None`` where a file of statistics lacks the features.
        n: pictures of the measured set; ``None``: its file does not say it.
        n_reference: pictures of the reference.
        extractor: the network, ``name@sha256:…``; ``None``: not known. Values compare only under the same one.
    """

    fid: float
    kid: float | None
    n: int | None
    n_reference: int | None
    extractor: str | None


def score_frechet(
    measured: str | os.PathLike[str],
    reference: str | os.PathLike[str],
    *,
    weights: str | os.PathLike[str] | None = None,
    precision: Precision = "f32",
) -> FrechetScore:
    """FID and KID between two sets of pictures.

    Args:
        measured: a directory of pictures and videos, a video, or a file of statistics (``.npz``). Videos count with 25
            frames a second.
        reference: the same of what it is compared with.
        weights: the feature network, an ONNX file; by default the one that the environment variable
            ``PENSTOCK_FRECHET`` names, else the stand-in ``portrait-features``, whose values are not those of papers.
        precision: what it computes in; ``bf16`` needs a CPU that computes in it.

    Raises:
        UsageError: a set cannot be read, has fewer than two pictures, or the sets were measured through different
            networks; this machine computes no bf16.
    """
    arithmetic = choose_arithmetic(one_of(PRECISIONS, precision, where="precision"))
    network = FeatureNetwork(Path(weights) if weights is not None else None, arithmetic)
    a, b = read_pictures(Path(measured), network), read_pictures(Path(reference), network)
    return frechet_score(a, b)


def frechet_score(measured: PictureSet, reference: PictureSet) -> FrechetScore:
    """As :func:`score_frechet`, of sets that were read.

    Raises:
        UsageError: the sets were measured through different networks.
    """
    fid, kid = distances(measured, reference)
    return FrechetScore(fid, kid, measured.n, reference.n, measured.extractor or reference.extractor)
