"""Where the characters of a line may be."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import numpy.typing as npt

SIDE = 32
"""Pixels that a line is high."""
WIDEST = 1.25
"""A character's width at most, in heights of the line."""
INK = 0.4
"""What has more of the letters' colour than this is ink."""
MOST = 60
"""Pieces of a line that are looked at."""

Floats = npt.NDArray[np.float32]
Span = tuple[int, int]


def candidates(line: Floats) -> list[Span]:
    """Where characters may be: from the start of a piece of ink to the end of it or of one of the next."""
    strength = line.max(axis=0)
    solid = strength > INK
    edges = np.flatnonzero(np.diff(np.concatenate([[False], solid, [False]]).astype(np.int8)))
    pieces: list[Span] = []
    for start, stop in edges.reshape(-1, 2).tolist():
        pieces.extend(split(line, start, stop))
    pieces = pieces[:MOST]
    return [
        (pieces[first][0], pieces[last][1])
        for first in range(len(pieces))
        for last in range(first, len(pieces))
        if pieces[last][1] - pieces[first][0] <= WIDEST * SIDE
    ]


def split(line: Floats, start: int, stop: int) -> list[Span]:
    """A piece of ink; where it is too wide for a narrow letter, in parts cut where there is least of it."""
    if stop - start <= 0.9 * SIDE:
        return [(start, stop)]
    profile = line[:, start:stop].sum(axis=0)
    low = (profile <= np.roll(profile, 1)) & (profile < np.roll(profile, -1)) & (profile < 0.3 * profile.mean())
    cuts = [start, *(start + at for at in np.flatnonzero(low).tolist() if 3 < at < stop - start - 3), stop]
    return list(pairwise(cuts))
