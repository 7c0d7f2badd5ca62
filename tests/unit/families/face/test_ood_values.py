"""Whether the quality score finds what recognition should not be asked about, and which way round it is."""

from __future__ import annotations

import numpy as np
import pytest
from tests.unit.families.face.answers import image, seen

from penstock.families.face.ood_values import _draws, ood_values

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


BOTH = ("auroc", "fpr95")


def test_a_suite_with_one_kind_alone() -> None:
    said = {
        "the suite has no images out of distribution that are to be answered": GOOD,
        "the suite has no good images": ODD,
    }
    for reason, cases in said.items():
        found = {line.metric: line for line in ood_values(cases, [seen([1, 0])] * len(cases))}
        assert [found[name].error for name in BOTH] == [reason] * 2
        assert found["band_calibration"].value == pytest.approx(0.1 if cases is GOOD else 0.9)


def test_the_bands_against_what_the_images_are() -> None:
    # pass: 8 of 9 good, said 0.9; refuse: 2 of 6 good, said 0.3
    found = values([0.9] * 8 + [0.3] * 2, [0.9] + [0.3] * 4)["band_calibration"]
    assert found.value == pytest.approx((9 * abs(8 / 9 - 0.9) + 6 * abs(2 / 6 - 0.3)) / 15)
    assert found.resamples is not None
    assert len(set(found.resamples.values)) > 10
    # one without an answer is a gap of 1, whatever the others are
    lost = values([0.9] * 9 + [None], [0.1] * 4 + [None])["band_calibration"]
    assert lost.value == pytest.approx((9 * 0.1 + 4 * 0.1 + 1 + 1) / 15)
    assert lost.error is not None
    assert lost.error.startswith("2 without an answer count as ranked wrong: ")
    assert values([None] * 10, [None] * 5)["band_calibration"].value == 1.0


def test_no_images_have_no_bands() -> None:
    (line,) = [line for line in ood_values([], []) if line.metric == "band_calibration"]
    assert (line.error, line.applies) == ("the suite has no single images", False)


def test_a_slice_of_one_kind_is_set_against_the_other_kind_of_the_suite() -> None:
    mask = [image(f"mask-{n}", ood="mask") for n in range(3)]
    cases = [*GOOD, *ODD, *mask]
    said = [seen([1, 0], quality) for quality in [0.9] * 10 + [0.1] * 5 + [0.95] * 3]
    found = {name: {line.metric: line for line in ood_values(cases, said, name)} for name in ("blur", "mask")}
    assert [found[name]["auroc"].value for name in ("blur", "mask")] == [1.0, 0.0]
    assert found["mask"]["band_calibration"].value == pytest.approx(0.95)  # of its own images alone
    half = [image(f"g-{n}", f"g{n}", slices=["half"]) for n in range(2)]
    odd = [image(f"o-{n}", ood="blur", slices=["half"]) for n in range(2)]
    said = [seen([1, 0], quality) for quality in [0.9, 0.9, 0.95, 0.95, *[0.1] * 5]]
    both = {line.metric: line.value for line in ood_values([*half, *odd, *ODD], said, "half")}
    assert both["auroc"] == 0.0  # a slice of both kinds stands by itself


def test_resamples_are_drawn_one_after_the_other() -> None:
    ood = np.arange(60) % 4 == 0
    drawn = _draws(np.array([f"p{place}" for place in range(60)], np.str_), ood)
    one, other = next(drawn), next(drawn)  # all of them at once are 22 kB an image
    assert [int(ood[rows].sum()) for rows in (one, other)] == [15, 15]
    assert one.tolist() != other.tolist()
