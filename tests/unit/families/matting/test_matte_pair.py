"""One answer against one truth: every metric of the family has a value or a reason."""

from __future__ import annotations

import numpy as np
import pytest
from tests.unit.families.matting.drawn_mattes import cutout, disc

from penstock.families.matting.matte_pair import FRINGE, score_fringe, score_pair
from penstock.families.matting.metrics import METRICS

TRUTH = disc() / 255


def test_every_metric_of_alpha_says_that_a_hard_matte_equals_itself() -> None:
    hard = (TRUTH >= 0.5).astype(np.float64)
    values = score_pair(hard, hard)
    assert list(values) == [metric.name for metric in METRICS if metric.name not in (FRINGE, "dtssd")]
    wanted = {
        metric.name: 1.0 if metric.direction == "higher" else 0.0
        for metric in METRICS
        if metric.name not in (FRINGE, "dtssd")
    }
    assert values == pytest.approx(wanted, abs=5e-3)


def test_values_that_can_be_counted_by_hand() -> None:
    unknown = np.zeros(TRUTH.shape, bool)
    unknown[:10] = True
    values = score_pair(np.clip(TRUTH + 0.1, 0, 1), TRUTH, unknown)  # the disc is not in the first rows
    assert values["mae"] == pytest.approx(0.1)
    assert values["mse"] == pytest.approx(0.01)
    assert values["sad"] == pytest.approx(0.1 * 800 / 1000)
    assert score_pair(np.roll(TRUTH, 3, axis=1), TRUTH)["hd100"] == pytest.approx(3, abs=1)


def test_an_empty_answer_has_reasons_where_there_is_no_edge() -> None:
    values = score_pair(np.zeros_like(TRUTH), TRUTH)
    assert values["iou"] == 0.0
    assert isinstance(values["hd95"], str)
    assert "edge" in values["hd95"]


def test_fringe_needs_colours_on_both_sides() -> None:
    rgba, colours = cutout(disc()), np.full((60, 80, 3), 120, np.uint8)
    assert score_fringe(rgba, None, TRUTH) == "the case names no foreground"
    assert score_fringe(None, colours, TRUTH) == "the answer has no colours"
    assert score_fringe(rgba, colours, TRUTH) == pytest.approx(0, abs=1e-6)
    worse = score_fringe(cutout(disc(), grey=250), colours, TRUTH)
    assert not isinstance(worse, str)
    assert worse > 5
