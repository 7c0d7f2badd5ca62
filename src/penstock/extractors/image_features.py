"""Features of pictures through an ONNX network: what FID and KID compare.

The interface of an image-feature network (Inception, as :mod:`penstock.extractors.inception_onnx` builds it, or the
small stand-in ``portrait-features``):

- input ``images``: uint8 (n, H, W, 3), **RGB**, of any one size; resizing and scaling are in the graph;
- output ``features``: float32 (n, d); row i depends on picture i alone;
- metadata: ``penstock.kind`` = ``image-features``, and ``penstock.name``.

Frames are BGR everywhere else in Penstock; here, and only here, they are turned round.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from penstock.contract.arithmetic import DEFAULT, Arithmetic
from penstock.extractors.backend import Tensor
from penstock.extractors.extractor import Extractor, Interface, open_extractor
from penstock.foundation.errors import UsageError

Frame = npt.NDArray[np.uint8]
Features = npt.NDArray[np.float32]

BATCH_IMAGES = 8
"""Pictures in one run of the network; more is hardly faster on a CPU and costs memory."""
BATCH_PIXELS = 4 << 20
"""Pixels in one run: very large pictures go one at a time, since the graph holds them as floats before it resizes."""
MAX_FEATURES = 8192

INTERFACE = Interface(
    kind="image-features",
    inputs={"images": Tensor("tensor(uint8)", ("open", "open", "open", 3))},
    outputs={"features": Tensor("tensor(float)", ("open", "any"))},
)


class ImageFeatures:
    """A loaded image-feature network."""

    def __init__(self, extractor: Extractor) -> None:
        self._extractor = extractor

    @classmethod
    def load(cls, path: Path, *, threads: int | None = None, arithmetic: Arithmetic = DEFAULT) -> ImageFeatures:
        """Load a network after checking what it is.

        Args:
            path: the ONNX file.
            threads: threads of one operator; by default as many as this process may use cores.
            arithmetic: what computes it, and in which precision.

        Raises:
            UsageError: it cannot be read, or is no image-feature network.
            WorldError: this machine cannot compute so.
        """
        return cls(open_extractor(path, INTERFACE, threads=threads, arithmetic=arithmetic))

    @property
    def label(self) -> str:
        """The extractor's label, which goes with every value that was measured through this network."""
        return self._extractor.label

    def features(self, frames_bgr: Iterable[Frame]) -> Features:
        """Features of pictures, taken from the stream a few at a time.

        Args:
            frames_bgr: uint8 (H, W, 3) BGR each; they may differ in size.

        Returns:
            float32 (n, d), in the order of the pictures.

        Raises:
            UsageError: there is no picture, one is not a picture, or the network does not keep its interface.
        """
        parts: list[Features] = []
        for batch in _batches(frames_bgr):
            (part,) = self._extractor.run({"images": batch}, ["features"])
            _check(part, len(batch), parts[0].shape[1] if parts else None, self.label)
            parts.append(part)
        if not parts:
            raise UsageError("there is no picture to take features of", todo="Give at least one picture or frame.")
        return np.concatenate(parts)


def _batches(frames: Iterable[Frame]) -> Iterator[Frame]:
    """Runs of pictures of one size, uint8 (k, H, W, 3) RGB."""
    waiting: list[Frame] = []
    for index, frame in enumerate(frames):
        if frame.dtype != np.uint8 or frame.ndim != 3 or frame.shape[2] != 3 or 0 in frame.shape:
            raise UsageError(f"picture {index} is {frame.dtype} {frame.shape}, a picture is uint8 (H, W, 3)")
        full = len(waiting) >= max(1, min(BATCH_IMAGES, BATCH_PIXELS // (frame.shape[0] * frame.shape[1])))
        if waiting and (full or waiting[0].shape != frame.shape):
            yield _rgb(waiting)
            waiting = []
        waiting.append(frame)
    if waiting:
        yield _rgb(waiting)


def _rgb(frames: list[Frame]) -> Frame:
    return np.ascontiguousarray(np.stack(frames)[..., ::-1])


def _check(features: npt.NDArray[Any], rows: int, width: int | None, name: str) -> None:
    """One row a picture, always as many features."""
    fits = features.ndim == 2 and features.dtype == np.float32 and len(features) == rows
    if not fits or not 0 < features.shape[1] <= MAX_FEATURES or features.shape[1] != (width or features.shape[1]):
        raise UsageError(
            f"the extractor answered {features.dtype} {features.shape} to {rows} pictures",
            where=name,
            todo="Its graph does not keep the interface; use another.",
        )
