"""EER, TAR, AUROC and FPR at 95 % against scikit-learn and SciPy.

Needs the parity environment (scikit-learn): its ``python -m pytest tests/parity``.
"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.interpolate import interp1d
from scipy.optimize import brentq
from sklearn.metrics import roc_auc_score, roc_curve

from penstock.metrics.quality import accepted_ood95, auroc, fpr95
from penstock.metrics.verification import equal_error_rate, find_edges, sort_pairs, tar_at

many = settings(max_examples=300, deadline=None)


@st.composite
def scored(draw):
    """Scores with their labels, more or less apart, more or less tied."""
    random = np.random.default_rng(draw(st.integers(0, 2**32)))
    counts = [draw(st.integers(1, 3000)) for _ in range(2)]
    apart, decimals = draw(st.floats(-1, 5)), draw(st.sampled_from([0, 1, 2, 12]))
    scores = np.concatenate([random.normal(apart, 1, counts[0]), random.normal(0, 1, counts[1])]).round(decimals)
    labels = np.arange(len(scores)) < counts[0]
    order = random.permutation(len(scores))
    return scores[order], labels[order]


def curve(labels, scores):
    return roc_curve(labels, scores, drop_intermediate=False)


@many
@given(scored())
def test_eer_is_the_usual_one(drawn):
    scores, same = drawn
    fpr, tpr, _ = curve(same, scores)
    usual = brentq(lambda x: 1.0 - x - interp1d(fpr, tpr)(x), 0.0, 1.0, xtol=1e-13)
    assert equal_error_rate(find_edges(sort_pairs(scores, same))) == pytest.approx(usual, abs=1e-9)


@many
@given(scored(), st.sampled_from([2, 10, 100, 1000]))
def test_tar_is_the_highest_at_the_far(drawn, one_in):
    scores, same = drawn
    fpr, tpr, _ = curve(same, scores)
    assert tar_at(find_edges(sort_pairs(scores, same)), one_in) == tpr[fpr <= 1 / one_in].max()


@many
@given(scored())
def test_out_of_distribution(drawn):
    quality, usable = drawn
    ood = ~usable
    assert auroc(quality, ood) == pytest.approx(roc_auc_score(ood, -quality), abs=1e-12)
    fpr, tpr, _ = curve(ood, -quality)
    assert fpr95(quality, ood) == fpr[np.argmax(tpr >= 0.95)]
    fpr, tpr, _ = curve(usable, quality)
    assert accepted_ood95(quality, ood) == fpr[np.argmax(tpr >= 0.95)]
