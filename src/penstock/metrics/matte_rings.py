"""A walk along the edge of a shape, ring by ring, and how much of it is usable."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from penstock.metrics.matte_arrays import Bits, Shape

Points = npt.NDArray[np.int32]
"""(n, 2): column and row."""
_Numbers = npt.NDArray[np.int64]
_Flags = npt.NDArray[np.bool_]

LEAST_RUN = 50
"""A usable stretch counts from this length on, in pixels."""
_LEFT_OUT, _BROKEN, _USABLE = 0, 1, 2
"""What a point is: no edge pixel (the frame cuts the subject there), or one that fits or does not."""


@dataclass(frozen=True)
class EdgeRun:
    """A stretch of the true edge in which all points are usable, or none is."""

    points: Points
    """(n, 2) column and row, in order; a ring that is one stretch ends on the point where it begins."""
    usable: bool
    """Whether the prediction's edge is near everywhere."""
    counts: bool
    """Whether it is error-free: usable, and at least 50 px long or all of its ring."""
    length: float
    """In pixels."""


@dataclass(frozen=True)
class Walk:
    """All stretches of a shape's rings, one after the other."""

    points: Points
    """Of all rings, each from the beginning of a stretch on."""
    begins: _Numbers
    """Where each stretch begins among the points."""
    state: npt.NDArray[np.uint8]
    """What the points of each stretch are."""
    closed: _Flags
    """Whether each stretch is a whole ring."""
    straight: _Numbers
    """Steps of length 1 in each stretch."""
    diagonal: _Numbers
    """Steps of length √2 in each stretch."""
    counts: _Flags
    """Whether each stretch is error-free."""
    all_straight: int
    """Steps of length 1 on all rings, those between stretches included."""
    all_diagonal: int
    """The same of length √2."""

    @property
    def lengths(self) -> npt.NDArray[np.float64]:
        """Of each stretch, in pixels."""
        return np.asarray(self.straight + np.sqrt(2) * self.diagonal, dtype=np.float64)

    @property
    def usable_share(self) -> float:
        """Length that counts, of the length of all rings; of points, where no ring has a length."""
        if self.all_straight or self.all_diagonal:
            straight, diagonal = int(self.straight[self.counts].sum()), int(self.diagonal[self.counts].sum())
            if (straight, diagonal) == (self.all_straight, self.all_diagonal):
                return 1.0
            return float((straight + np.sqrt(2) * diagonal) / (self.all_straight + np.sqrt(2) * self.all_diagonal))
        sizes = np.diff(self.begins, append=len(self.points))
        return float(sizes[self.counts].sum() / sizes[self.state != _LEFT_OUT].sum())

    def runs(self) -> tuple[EdgeRun, ...]:
        """The stretches to look at: all but what the frame left out."""
        parts = np.split(self.points, self.begins[1:])
        lengths = self.lengths
        return tuple(
            EdgeRun(
                points=np.concatenate((part, part[:1])) if self.closed[number] else part,
                usable=bool(self.state[number] == _USABLE),
                counts=bool(self.counts[number]),
                length=float(lengths[number]),
            )
            for number, part in enumerate(parts)
            if self.state[number] != _LEFT_OUT
        )


def walk(shape: Shape, near: Bits) -> Walk:
    """Walk along every ring of a shape that has an edge.

    Args:
        shape: whose rings; around its holes, too; 8-connected, every pixel.
        near: uint8 (H, W), 1 where a point of a ring is usable.

    Example:
        >>> square = np.zeros((20, 20))
        >>> square[5:15, 5:15] = 1
        >>> from penstock.metrics.matte_arrays import shape_of
        >>> found = walk(shape_of(square), np.ones((20, 20), np.uint8))
        >>> found.lengths.tolist(), found.usable_share
        ([36.0], 1.0)
    """
    rings, _ = cv2.findContours(shape.mask, cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
    sizes = np.array([len(ring) for ring in rings])
    ring_begins = np.cumsum(sizes) - sizes
    ring = np.repeat(np.arange(len(rings)), sizes)
    points = np.concatenate(rings)[:, 0].astype(np.int32, copy=False)
    state = _states(shape, near, points)

    # Each ring is turned so that it begins where the state changes: then no stretch goes across its end.
    place = np.arange(len(points))
    changes = state != state[np.where(place == ring_begins[ring], place + sizes[ring] - 1, place - 1)]
    first = np.minimum.reduceat(np.where(changes, place, len(points)), ring_begins)
    uniform = first == len(points)
    turn = np.where(uniform, 0, first - ring_begins)
    order = ring_begins[ring] + (place - ring_begins[ring] + turn[ring]) % sizes[ring]
    points, state, changes = points[order], state[order], changes[order]
    changes[ring_begins] = True

    following = np.where(place == (ring_begins + sizes - 1)[ring], ring_begins[ring], place + 1)
    # 0 for the only point of a ring, 1 for a straight step, 2 for a diagonal one.
    steps = np.abs(points[following] - points).sum(axis=1)
    on_edge = (state != _LEFT_OUT) & (state[following] != _LEFT_OUT)
    inside = on_edge & (state == state[following])
    begins = np.flatnonzero(changes)
    straight, diagonal = (np.add.reduceat((inside & (steps == kind)).astype(np.int64), begins) for kind in (1, 2))
    usable = state[begins] == _USABLE
    unbroken = ~np.logical_or.reduceat(state == _BROKEN, ring_begins)[ring[begins]]
    return Walk(
        points=points,
        begins=begins,
        state=state[begins],
        closed=uniform[ring[begins]],
        straight=straight,
        diagonal=diagonal,
        counts=usable & (unbroken | (straight + np.sqrt(2) * diagonal >= LEAST_RUN)),
        all_straight=int(np.count_nonzero(on_edge & (steps == 1))),
        all_diagonal=int(np.count_nonzero(on_edge & (steps == 2))),
    )


def _states(shape: Shape, near: Bits, points: Points) -> npt.NDArray[np.uint8]:
    """What each point is."""
    columns, rows = points.T
    found = shape.edge[rows, columns] * (_BROKEN + (_USABLE - _BROKEN) * near[rows, columns])
    return np.asarray(found, dtype=np.uint8)
