"""How error rates are shown where there are no intervals, and no threshold."""

from __future__ import annotations

import numpy as np

from penstock.families.face.verification_text import WRONG_WAY, notes_on, verification_content, verification_lines
from penstock.metrics.verification import sort_pairs
from penstock.metrics.verification_scores import verification_scores


def test_few_pairs_have_no_intervals() -> None:
    found = verification_scores(sort_pairs(np.array([0.9, *np.zeros(100)]), np.arange(101) == 0))
    assert found is not None
    lines = verification_lines(found)
    assert lines[0] == "EER           0"
    assert lines[1] == "TAR@FAR=1e-1  1  threshold 0.9"
    assert lines[-1] == "no intervals  1 genuine and 100 impostor pairs: an interval needs 20 of each"
    content = verification_content(found)
    assert content["eer_interval"] is None
    assert content["tar_interval"]["1e-1"] is None
    assert content["reasons"]["interval 1e-1"] == content["reasons"]["interval eer"]


def test_the_wrong_way_round() -> None:
    found = verification_scores(sort_pairs(np.array([0.1, *np.linspace(0.5, 1, 100)]), np.arange(101) == 0))
    assert found is not None
    assert notes_on(found) == [WRONG_WAY]
    lines = verification_lines(found)
    assert lines[1] == "TAR@FAR=1e-1  0  no genuine pair is accepted"
    assert lines[-1] == f"note: {WRONG_WAY}"
