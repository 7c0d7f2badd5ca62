"""Whether the quality score finds what recognition should not be asked about, and which way round it is."""

from __future__ import annotations

import pytest
from tests.unit.families.face.answers import image, seen

from penstock.families.face.ood_values import ood_values

GOOD = [image(f"good-{n}", f"p{n % 5}") for n in range(10)]
ODD = [image(f"odd-{n}", ood="blur") for n in range(5)]
CASES = [*GOOD, *ODD]


def values(good: list[float | None], odd: list[float | None]):
    said = [seen(None if quality is None else [1, 0], quality or 0.0) for quality in [*good, *odd]]
    return {line.metric: line for line in ood_values(CASES, said)}


@pytest.mark.slow
def test_a_score_that_tells_them_apart() -> None:
    found = values([0.9] * 9 + [0.5], [0.1, 0.2, 0.3, 0.4, 0.5])
    assert found["auroc"].value == 1 - 0.5 / 50
    assert found["fpr95"].value == 0.1
    assert found["auroc"].error is None
    resamples = found["auroc"].resamples
    assert resamples is not None
    assert (resamples.cases, len(resamples.values)) == (10, 1000)
    assert min(resamples.values) < 1 - 0.5 / 50 < max(resamples.values) + 1e-12
    again = values([0.8] * 10, [0.7] * 5)["auroc"].resamples
    assert again is not None
    assert again.key == resamples.key


def test_an_inverted_score_is_told() -> None:
    found = values([0.1] * 10, [0.9] * 5)
    assert found["auroc"].value == 0.0
    assert found["auroc"].error == "below 0.5: the score looks inverted, low for good images"


@pytest.mark.slow
def test_answers_that_are_missing_do_not_make_a_score_look_inverted() -> None:
    found = values([None] * 10, [None] * 5)
    assert found["auroc"].value == 0.0
    assert found["auroc"].error is not None
    assert "inverted" not in found["auroc"].error
    some = values([None] * 8 + [0.9] * 2, [0.1] * 5)["auroc"]
    assert some.value == pytest.approx(0.2)
    assert some.error is not None
    assert "inverted" not in some.error


@pytest.mark.slow
def test_an_image_without_an_answer_ranks_as_wrongly_as_it_can() -> None:
    best = values([0.9] * 10, [0.1] * 5)
    assert (best["auroc"].value, best["fpr95"].value) == (1.0, 0.0)
    lost = values([None, *[0.9] * 9], [0.1] * 5)
    assert (lost["auroc"].value, lost["fpr95"].value) == (0.9, 0.1)
    assert lost["auroc"].error == "1 without an answer count as ranked wrong: 'good-0'"
    assert values([0.9] * 10, [None, *[0.1] * 4])["auroc"].value == 0.8


def test_a_suite_with_one_kind_alone() -> None:
    lines = list(ood_values(GOOD, [seen([1, 0])] * 10))
    assert {line.error for line in lines} == {"the suite has no images out of distribution that are to be answered"}
    assert {line.error for line in ood_values(ODD, [seen([1, 0])] * 5)} == {"the suite has no good images"}
