"""Labels that were found, compared with those that are true: precision, recall and F1 of one picture."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass


@dataclass(frozen=True)
class LabelScores:
    """Each from 0 to 1."""

    precision: float
    """Share of what was found that is true; where nothing was found, 1 if nothing is to be found, else 0."""
    recall: float
    """Share of what is true that was found; where nothing is to be found, 1."""
    f1: float
    """Twice what both share, by the sum of their sizes; 1 where both are empty."""


def score_labels(found: Set[str], truth: Set[str]) -> LabelScores:
    """Compare two sets of labels.

    Example:
        >>> score_labels({"cat", "cup"}, {"cat"})
        LabelScores(precision=0.5, recall=1.0, f1=0.6666666666666666)
        >>> score_labels(set(), {"cat"}), score_labels({"cat"}, set()).f1
        (LabelScores(precision=0.0, recall=0.0, f1=0.0), 0.0)
    """
    right = len(found & truth)
    both = len(found) + len(truth)
    return LabelScores(
        precision=right / len(found) if found else float(not truth),
        recall=right / len(truth) if truth else 1.0,
        f1=2 * right / both if both else 1.0,
    )
