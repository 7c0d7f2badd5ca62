"""Whether two pictures show the same: a perceptual hash of 63 bits.

Source: C. Zauner, Implementation and Benchmarking of Perceptual Image Hash Functions (2010), the hash by DCT, as the
Python package ``imagehash`` computes its ``phash``: the picture in grey at 32x32, its cosine transform, of which the 64
lowest frequencies are above or below their median. Here the first of them, which is the mean brightness, is left out.

Of the photographs and portraits in ``test-assets``, stored again as JPEG of quality 30, at half the size, 20 %
brighter or with noise of 10 grey levels, the same picture is at most 6 bits away; different ones are 20 bits apart at
least (``tests/unit/suites/test_picture_hash.py``). One that was cropped by some per cent may be missed, and a mirrored
one is another picture.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import cv2
import numpy as np
import numpy.typing as npt

BITS = 63
NEAR = 6
"""Bits that differ between two pictures of the same, at most."""
_SIDE, _LOW = 32, 8
_ROUNDING = 1e-3
"""Below this a frequency is not there: grey levels are whole numbers, and a plain picture has none but noise."""
_AT_ONCE = 1 << 22
"""So many pairs are held in memory: training data may have a million pictures."""


def picture_hash(picture: npt.NDArray[np.uint8]) -> int:
    """The hash of a picture.

    Args:
        picture: uint8 (H, W, 3) BGR.

    Returns:
        0 to 2^63 - 1; 0 for a picture of one colour.
    """
    # once by area: what is small there is gone, whatever size the picture was stored in
    small = cv2.resize(picture, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA)
    grey = cv2.cvtColor(small, cv2.COLOR_BGR2GRAY).astype(np.float32)
    low = cv2.dct(grey)[:_LOW, :_LOW].ravel()[1:]
    low = np.where(np.abs(low) < _ROUNDING, 0, low)
    return int.from_bytes(np.packbits(low > np.median(low), bitorder="little").tobytes(), "little")


def near_pairs(hashes: Sequence[int], others: Sequence[int], *, near: int = NEAR) -> Iterator[tuple[int, int]]:
    """Places of all pairs, of one picture in each of the lists, that are ``near`` bits apart at most."""
    ours, theirs = np.array(hashes, np.uint64), np.array(others, np.uint64)
    rows = max(1, _AT_ONCE // max(1, len(theirs)))
    for start in range(0, len(ours), rows):
        apart = np.bitwise_count(ours[start : start + rows, None] ^ theirs[None, :])
        for row, column in zip(*np.nonzero(apart <= near), strict=True):
            yield start + int(row), int(column)
