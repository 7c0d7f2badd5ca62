"""What a viewer needs of an answer's edge: its worst point, and where along the true edge it holds."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from penstock.foundation.errors import UsageError
from penstock.media.mattes import Alpha
from penstock.metrics.matte_arrays import shape_of
from penstock.metrics.matte_edges import usable_edge

STEP = 4
"""Of the points of a run every fourth is kept, and the last: enough to draw it."""
MAX_POINTS = 20_000
"""Of all runs together; an answer of noise has many more, and nobody looks at them."""


def edge_series(prediction: Alpha, truth: Alpha) -> dict[str, Any]:
    """A JSON object: ``size`` of the answer; ``worst_edge``; ``edge_runs``. Places are column and row, in its pixels.

    ``worst_edge`` has ``at``, the point of either edge that is farthest from the other edge, ``distance`` in pixels,
    and ``edge``, whose point it is: of the ``truth`` (something is missing) or the ``answer`` (something is there that
    should not be); absent where one of the two has no edge. ``edge_runs`` are the stretches of the true edge, with
    ``points`` and whether they count as ``usable``.
    """
    height, width = truth.shape
    found: dict[str, Any] = {"size": [width, height]}
    if (worst := _worst(prediction, truth)) is not None:
        found["worst_edge"] = worst
    return found | {"edge_runs": _runs(prediction, truth)}


def _worst(prediction: Alpha, truth: Alpha) -> dict[str, Any] | None:
    edges = {"truth": shape_of(truth).edge, "answer": shape_of(prediction).edge}
    if not all(edge.any() for edge in edges.values()):
        return None
    found: dict[str, Any] = {}
    for name, other in (("truth", "answer"), ("answer", "truth")):
        far = _distance_to(edges[other])
        rows, columns = np.nonzero(edges[name])
        distances = far[rows, columns]
        place = int(distances.argmax())
        if not found or distances[place] > found["distance"]:
            at = [int(columns[place]), int(rows[place])]
            found = {"at": at, "distance": round(float(distances[place]), 2), "edge": name}
    return found


def _distance_to(edge: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    return np.asarray(cv2.distanceTransform(1 - edge, cv2.DIST_L2, cv2.DIST_MASK_PRECISE), dtype=np.float32)


def _runs(prediction: Alpha, truth: Alpha) -> list[dict[str, Any]]:
    try:
        runs = usable_edge(prediction, truth).runs
    except UsageError:
        return []
    found: list[dict[str, Any]] = []
    left = MAX_POINTS
    for run in sorted(runs, key=lambda run: -run.length):
        points = [*run.points[:-1:STEP].tolist(), run.points[-1].tolist()]
        left -= len(points)
        if left < 0:
            break
        found.append({"usable": run.counts, "points": points})
    return found
