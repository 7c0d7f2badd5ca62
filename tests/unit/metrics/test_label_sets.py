"""Precision, recall and F1 of labels: by hand, and what holds of all of them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.metrics.label_sets import LabelScores, score_labels

labels = st.frozensets(st.sampled_from("abcdef"))


@pytest.mark.parametrize(
    ("found", "truth", "scores"),
    [
        ("ab", "ab", (1.0, 1.0, 1.0)),
        ("abcd", "ab", (0.5, 1.0, 2 / 3)),
        ("a", "abcd", (1.0, 0.25, 0.4)),
        ("", "a", (0.0, 0.0, 0.0)),
        ("a", "", (0.0, 1.0, 0.0)),
        ("", "", (1.0, 1.0, 1.0)),
    ],
)
def test_by_hand(found: str, truth: str, scores: tuple[float, float, float]) -> None:
    assert score_labels(set(found), set(truth)) == LabelScores(*map(pytest.approx, scores))


@pytest.mark.slow
@given(labels, labels)
def test_f1_is_the_harmonic_mean_and_precision_is_recall_the_other_way(found: frozenset, truth: frozenset) -> None:
    scores = score_labels(found, truth)
    assert all(0 <= value <= 1 for value in (scores.precision, scores.recall, scores.f1))
    if found and truth:
        assert scores.precision == score_labels(truth, found).recall
        both = scores.precision + scores.recall
        assert scores.f1 == pytest.approx(2 * scores.precision * scores.recall / both if both else 0.0)
