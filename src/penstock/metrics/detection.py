"""Boxes: overlap, and the mean average precision as COCO defines it.

Of each label and each overlap (IoU) that is asked for, in each picture: what was found is gone through from the surest
down, at most 100 boxes, and each takes of the true boxes of that label that nobody has the one that it overlaps most,
if that is enough. All pictures together, from the surest down, give precision over recall; precision is made to fall
only (the best at any higher recall), and read at 101 recalls, 0, 0.01, … 1 (0 where it is not reached). Their mean is
the AP of a label; the mAP is the mean over the labels that have any true box. A label that is nowhere true has no AP,
so that what was found under it counts nowhere here: the precision of labels sees it.

This is ``COCOeval`` of pycocotools 2.0 without crowds and sizes (``tests/parity/test_detection.py``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Boxes = npt.NDArray[np.float64]
"""(n, 4): x, y, width, height in pixels, x and y of the upper left corner."""
Numbers = npt.NDArray[np.float64]
Counts = npt.NDArray[np.integer]

OVERLAPS = np.linspace(0.5, 0.95, 10)
"""IoU of 0.50, 0.55, … 0.95."""
RECALLS = np.linspace(0.0, 1.0, 101)
MOST = 100
"""Boxes of a label in a picture that count: the surest."""
_BLOCK = 1 << 21


@dataclass(frozen=True)
class PictureBoxes:
    """What was found in one picture, and what is there.

    Attributes:
        labels: of what was found, n of them.
        boxes: (n, 4).
        confidence: (n,).
        true_labels: m of them.
        true_boxes: (m, 4).
    """

    labels: tuple[str, ...]
    boxes: Boxes
    confidence: Numbers
    true_labels: tuple[str, ...]
    true_boxes: Boxes


@dataclass(frozen=True)
class Ranked:
    """One label in all pictures, from the surest box down.

    Attributes:
        picture: (d,): whose the box is.
        right: bool (t, d): whether it took a true box, for each of t overlaps.
        true: (pictures,): true boxes.
    """

    picture: npt.NDArray[np.intp]
    right: npt.NDArray[np.bool_]
    true: npt.NDArray[np.int64]


def overlap(first: Boxes, second: Boxes) -> Numbers:
    """IoU of each box with each: (n, m), from 0 to 1.

    Example:
        >>> overlap(np.array([[0.0, 0, 10, 10]]), np.array([[5.0, 0, 10, 10], [20, 0, 1, 1]])).round(4).tolist()
        [[0.3333, 0.0]]
    """
    upper = np.maximum(first[:, None, :2], second[None, :, :2])
    lower = np.minimum(first[:, None, :2] + first[:, None, 2:], second[None, :, :2] + second[None, :, 2:])
    shared = np.prod(np.clip(lower - upper, 0, None), axis=2)
    area = np.prod(first[:, 2:], axis=1)[:, None] + np.prod(second[:, 2:], axis=1)[None, :]
    return np.asarray(np.divide(shared, area - shared, out=np.zeros_like(shared), where=shared > 0))


def match(overlaps: Numbers, wanted: Numbers) -> npt.NDArray[np.bool_]:
    """Which boxes take a true one, the surest first.

    Args:
        overlaps: (n, m) of boxes from the surest down with true boxes.
        wanted: (t,): IoU from which on they match.

    Returns:
        bool (t, n).

    Example:
        >>> match(np.array([[0.9, 0.8], [0.95, 0.6]]), np.array([0.5, 0.7])).tolist()  # the second finds 0.6 free
        [[True, True], [True, False]]
    """
    right = np.zeros((len(wanted), len(overlaps)), bool)
    rows = overlaps.tolist()  # they are small: plain numbers are quicker than arrays
    for number, enough in enumerate(np.minimum(wanted, 1 - 1e-10).tolist()):
        free = set(range(overlaps.shape[1]))
        for box, row in enumerate(rows):
            # of equal overlaps the last one, as COCO takes it
            best = max((place for place in free if row[place] >= enough), key=lambda at: (row[at], at), default=None)
            if best is not None:
                free.remove(best)
                right[number, box] = True
    return right


def rank(pictures: Sequence[PictureBoxes], wanted: Numbers = OVERLAPS) -> dict[str, Ranked]:
    """Match all boxes, label by label; labels that are true somewhere, sorted.

    Args:
        pictures: any number.
        wanted: (t,): IoU from which on boxes match.

    Example:
        >>> box = np.array([[0.0, 0, 10, 10]])
        >>> found = rank([PictureBoxes(("cat",), box, np.array([0.9]), ("cat", "cup"), np.vstack([box, box]))])
        >>> list(found), found["cat"].right[:, 0].all(), found["cup"].true.tolist()
        (['cat', 'cup'], np.True_, [1])
    """
    labels = sorted({label for picture in pictures for label in picture.true_labels})
    parts: dict[str, list[tuple[int, Numbers, npt.NDArray[np.bool_]]]] = {label: [] for label in labels}
    true = {label: np.zeros(len(pictures), np.int64) for label in labels}
    for number, picture in enumerate(pictures):
        ours, theirs = _places(picture.labels), _places(picture.true_labels)
        for label in ours.keys() | theirs.keys():
            if label not in parts:
                continue
            here, there = np.array(ours.get(label, []), np.intp), theirs.get(label, [])
            true[label][number] = len(there)
            here = here[np.argsort(-picture.confidence[here], kind="stable")][:MOST]
            if len(here):
                overlaps = overlap(picture.boxes[here], picture.true_boxes[there])
                parts[label].append((number, picture.confidence[here], match(overlaps, wanted)))
    return {label: _ranked(parts[label], true[label], len(wanted)) for label in labels}


def _places(labels: Sequence[str]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for place, label in enumerate(labels):
        found.setdefault(label, []).append(place)
    return found


def _ranked(
    parts: Sequence[tuple[int, Numbers, npt.NDArray[np.bool_]]], true: npt.NDArray[np.int64], overlaps: int
) -> Ranked:
    if not parts:
        return Ranked(np.zeros(0, np.intp), np.zeros((overlaps, 0), bool), true)
    confidence = np.concatenate([part[1] for part in parts])
    picture = np.concatenate([np.full(len(part[1]), part[0]) for part in parts])
    order = np.argsort(-confidence, kind="stable")
    return Ranked(picture[order], np.concatenate([part[2] for part in parts], axis=1)[:, order], true)


def average_precision(ranked: Ranked, counts: Counts) -> Numbers:
    """The AP of one label on resamples of the pictures.

    Args:
        ranked: the label's boxes.
        counts: (resamples, pictures): how often each was drawn; a row of ones is the suite itself.

    Returns:
        float64 (resamples, overlaps), from 0 to 1; NaN of a resample without any true box.

    Example:
        >>> one = Ranked(np.array([0, 0]), np.array([[True, False]]), np.array([2]))  # right, wrong; of two
        >>> average_precision(one, np.array([[1]])).round(4).tolist()  # 51 of 101 recalls
        [[0.505]]
    """
    true = np.asarray(counts @ ranked.true, np.float64)
    found = np.zeros((len(counts), len(ranked.right)))
    rows = max(1, _BLOCK // max(1, len(ranked.picture)))
    for start in range(0, len(counts), rows):
        drawn = np.asarray(counts[start : start + rows][:, ranked.picture], np.float64)
        seen = np.cumsum(drawn, axis=1)
        for number, right in enumerate(ranked.right):
            # from one right box to the next precision falls, and recall stays
            hits = np.cumsum(drawn[:, right], axis=1)
            found[start : start + rows, number] = _area(hits, seen[:, right], true[start : start + rows])
    found[true == 0] = np.nan
    return found


def _area(hits: Numbers, seen: Numbers, true: Numbers) -> Numbers:
    """The mean of precision at 101 recalls, (resamples,): hits and boxes seen are (resamples, d)."""
    if not hits.shape[1]:
        return np.zeros(len(hits))
    with np.errstate(invalid="ignore", divide="ignore"):
        recall = np.nan_to_num(hits / true[:, None])
        precision = np.nan_to_num(hits / seen)
    best = np.maximum.accumulate(precision[:, ::-1], axis=1)[:, ::-1]
    passed = np.searchsorted(RECALLS, recall, side="right")  # recalls that are reached here
    return np.asarray((best * np.diff(passed, axis=1, prepend=0)).sum(axis=1) / len(RECALLS))


def mean_average_precision(pictures: Sequence[PictureBoxes], counts: Counts | None = None) -> Numbers:
    """The mAP at each of :data:`OVERLAPS`: the first is mAP@0.5, the mean of all mAP@[.5:.95].

    Args:
        pictures: at least one with a true box.
        counts: (resamples, pictures); ``None``: the pictures as they are.

    Returns:
        float64 (resamples, 10), from 0 to 1; one row without ``counts``. NaN of a resample without any true box.

    Example:
        >>> box = np.array([[0.0, 0, 10, 10]])
        >>> shifted = PictureBoxes(("cat",), box + [2, 0, 0, 0], np.array([0.9]), ("cat",), box)  # IoU 2/3
        >>> mean_average_precision([shifted]).round(2).tolist()
        [[1.0, 1.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]]
    """
    drawn = np.ones((1, len(pictures)), np.int64) if counts is None else counts
    total, labels = np.zeros((len(drawn), len(OVERLAPS))), np.zeros((len(drawn), 1))
    for ranked in rank(pictures).values():
        found = average_precision(ranked, drawn)
        has = ~np.isnan(found)
        total += np.where(has, found, 0.0)
        labels += has[:, :1]
    with np.errstate(invalid="ignore"):
        return np.asarray(total / labels)
