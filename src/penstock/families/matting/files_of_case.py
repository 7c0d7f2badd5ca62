"""What a case compares with: truths, trimap, true colours; read, and held to be of the photo's size."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from penstock.foundation.errors import UsageError
from penstock.media.images import read_image
from penstock.media.mattes import Alpha, read_matte, read_trimap

Colours = npt.NDArray[np.uint8]
"""(H, W, 3) RGB."""
Size = tuple[int, int]
"""Width and height."""


@dataclass(frozen=True)
class CaseTruth:
    """What is known of a photo's subject; all of one size."""

    truths: tuple[Alpha, ...]
    """At least one."""
    unknown: npt.NDArray[np.bool_] | None
    """Where the trimap leaves it open, (H, W)."""
    foreground: Colours | None

    @property
    def size(self) -> Size:
        """Of the pictures."""
        height, width = self.truths[0].shape
        return width, height

    def scaled(self, size: Size) -> CaseTruth:
        """The same by area at another size; a pixel stays unknown where any part of it is."""
        if size == self.size:
            return self

        def by_area(picture: Alpha) -> Alpha:
            return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), dtype=np.float64)

        unknown = by_area(self.unknown.astype(np.float64)) > 0 if self.unknown is not None else None
        colours = None
        if self.foreground is not None:
            colours = np.rint(by_area(self.foreground.astype(np.float64))).astype(np.uint8)
        # the weights of an area add up to 1 but for rounding
        return CaseTruth(tuple(np.clip(by_area(truth), 0.0, 1.0) for truth in self.truths), unknown, colours)


def read_known(files: Mapping[str, tuple[Path, ...]]) -> CaseTruth:
    """Read what a case names.

    Args:
        files: ``truth`` (at least one), ``trimap``, ``foreground`` → files.

    Raises:
        UsageError: one cannot be read, or is of another size than the first truth.
    """
    truths = tuple(map(read_matte, files["truth"]))
    known = CaseTruth(
        truths,
        read_trimap(files["trimap"][0]) if "trimap" in files else None,
        read_image(files["foreground"][0])[:, :, ::-1] if "foreground" in files else None,
    )
    pictures = [*truths, known.unknown, known.foreground]
    paths = [*files["truth"], *files.get("trimap", (None,)), *files.get("foreground", (None,))]
    for path, picture in zip(paths, pictures, strict=True):
        if path is not None and picture is not None:
            hold_size(path.name, (picture.shape[1], picture.shape[0]), known.size, files["truth"][0].name)
    return known


def hold_size(name: str, size: Size, wanted: Size, of_what: str) -> None:
    """Check that a picture is as large as another.

    Raises:
        UsageError: it is not.
    """
    if size != wanted:
        raise UsageError(
            f"'{name}' is {size[0]}x{size[1]} pixels, and {of_what} is {wanted[0]}x{wanted[1]}",
            todo="They must be of one size.",
        )
