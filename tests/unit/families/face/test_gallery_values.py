"""Whether galleries of the released model's vectors can still be used."""

from __future__ import annotations

import numpy as np
from tests.unit.families.face.answers import crowd, seen

from penstock.bundle.models import Measurement
from penstock.families.face.gallery_values import gallery_values


def table(cases, answers, released) -> dict[str, Measurement]:
    return {line.metric: line for line in gallery_values(cases, answers, released)}


def test_the_same_space_can_and_another_cannot() -> None:
    cases, released = crowd(noise=0.3)
    found = table(cases, crowd(noise=0.2, seed=2)[1], released)
    assert (found["gallery"].value or 0) > 0.9
    assert (found["gallery_eer"].value or 0) < 0.05
    turn = np.linalg.qr(np.random.default_rng(3).normal(size=(16, 16)))[0]
    turned = [seen(turn @ answer.features.vector) for answer in released]
    found = table(cases, turned, released)
    assert (found["gallery"].value or 0) < 0.3
    assert (found["gallery_eer"].value or 0) > 0.3


def test_other_lengths_cannot_be_compared_at_all() -> None:
    cases, released = crowd()
    for line in table(cases, [seen(answer.features.vector[:8]) for answer in released], released).values():
        assert "16 values in the released model and 8 now" in str(line.error)
        assert line.applies


def test_what_the_candidate_lost_counts_and_what_the_released_model_lost_does_not() -> None:
    cases, released = crowd()
    answers = crowd(seed=2)[1]
    whole = table(cases, answers, released)["gallery"]
    lost = table(cases, [seen(None), *answers[1:]], released)["gallery"]
    assert (lost.value or 1) < (whole.value or 0)
    assert "'p00-0'" in str(lost.error)
    passed = table(cases, [seen(None), *answers[1:]], [seen(None), *released[1:]])["gallery"]
    assert (passed.value, passed.error) == (table(cases[1:], answers[1:], released[1:])["gallery"].value, None)
    nothing = table(cases, answers, [seen(None)] * len(cases))["gallery"]
    assert (nothing.applies, nothing.value) == (False, None)
    assert str(nothing.error).startswith("of the released model: ")
