"""What is said of a list of comparisons: values, refusals, and intervals that cover the truth."""

from __future__ import annotations

import numpy as np
import pytest

from penstock.metrics.verification import equal_error_rate, find_edges, sort_pairs, tar_at
from penstock.metrics.verification_scores import sort_owned_pairs, verification_scores

IMAGES = 3


def world(seed: int, identities: int, unlike: float = 0.2):
    """All pairs of images of people: everyone is another vector, more or less alike from one image to the next."""
    random = np.random.default_rng(seed)
    centres = random.normal(size=(identities, 1, 16))
    centres /= np.linalg.norm(centres, axis=2, keepdims=True)
    spread = unlike * np.exp(random.normal(0, 0.3, (identities, 1, 1)))
    rows = (centres + spread * random.normal(size=(identities, IMAGES, 16))).reshape(-1, 16)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    first, second = np.triu_indices(len(rows), 1)
    return (rows @ rows.T)[first, second], first // IMAGES, second // IMAGES


@pytest.mark.slow
@pytest.mark.parametrize("unlike", [0.25, 0.14], ids=["many errors", "few errors"])
def test_intervals_by_identity_cover_the_truth(unlike: float) -> None:
    """At least 93 of 100 intervals of 95 % hold the value of (nearly) all people there are."""
    scores, first, second = world(0, 500, unlike)
    everyone = find_edges(sort_pairs(scores, first == second))
    truth = {"eer": equal_error_rate(everyone), "1e-1": tar_at(everyone, 10)}
    held, tries, people = dict.fromkeys(truth, 0), 100, 30
    for number in range(tries):
        scores, first, second = world(100 + number, people, unlike)
        pairs, owners = sort_owned_pairs(scores, first == second, first, second, people)
        found = verification_scores(pairs, owners, resamples=150)
        for name, interval in {"eer": found.eer_interval, **found.tar_interval}.items():
            if interval is not None:
                held[name] += interval[0] <= truth[name] <= interval[1]
    assert min(held.values()) >= 0.93 * tries, held


@pytest.mark.slow
def test_tar_is_refused_where_pairs_of_identities_are_few() -> None:
    """40 people have 780 pairs, however many images there are of each."""
    scores, first, second = world(1, 40)
    pairs, owners = sort_owned_pairs(scores, first == second, first, second, 40)
    found = verification_scores(pairs, owners)
    assert found is not None
    assert len(pairs.impostor) == found.n_impostor == 780 * IMAGES**2
    assert found.n_impostor_identities == 780
    assert found.tar["1e-1"] == tar_at(find_edges(pairs), 10)
    assert found.tar["1e-2"] is None
    assert found.reasons["tar 1e-2"] == "780 impostor pairs of identities; 10 ÷ FAR = 1,000 are needed"
    assert found.tar_interval["1e-2"] is found.threshold["1e-2"] is None
    alone = verification_scores(pairs)
    assert alone is not None
    assert alone.tar["1e-2"] == tar_at(find_edges(pairs), 100)
    assert (alone.n_identities, alone.n_impostor_identities) == (None, None)
    assert list(found.tar) == ["1e-1", "1e-2", "1e-3", "1e-4", "1e-5", "1e-6"]


@pytest.mark.slow
def test_an_interval_holds_its_value_and_is_wider_by_identity() -> None:
    scores, first, second = world(2, 40)
    pairs, owners = sort_owned_pairs(scores, first == second, first, second, 40)
    found = verification_scores(pairs, owners)
    assert found is not None
    assert found.eer_interval is not None
    assert found.eer_interval[0] < found.eer < found.eer_interval[1]
    low, high = found.tar_interval["1e-1"] or (1, 0)
    assert low < found.tar["1e-1"] < high
    again = verification_scores(pairs, owners)
    assert again == found


def test_no_errors_are_no_certainty() -> None:
    """Of 30 people none fails: up to z² / (30 + z²) = 11.4 % of all people may."""
    first = np.concatenate([np.arange(30), np.repeat(np.arange(30), 30)])
    second = np.concatenate([np.arange(30), np.tile(np.arange(30), 30)])
    keep = np.arange(len(first)) < 30
    keep |= first != second
    first, second = first[keep], second[keep]
    same = first == second
    pairs, owners = sort_owned_pairs(same.astype(np.float64), same, first, second, 30)
    found = verification_scores(pairs, owners)
    assert found is not None
    assert (found.eer, found.tar["1e-1"]) == (0, 1)
    assert found.eer_interval == pytest.approx((0, 0.1135), abs=1e-4)
    assert found.tar_interval["1e-1"] == pytest.approx((1 - 0.1135, 1), abs=1e-4)
    assert found.d_prime is None
    assert "d_prime" in found.reasons


def test_few_have_no_interval() -> None:
    scores, first, second = world(3, 9)
    pairs, owners = sort_owned_pairs(scores, first == second, first, second, 9)
    found = verification_scores(pairs, owners)
    assert found is not None
    assert found.eer_interval is None
    assert found.reasons["interval eer"] == "9 identities with genuine pairs: an interval needs 10"
    few = verification_scores(sort_pairs(np.array([0.9, 0.1, 0.2]), np.array([True, False, False])))
    assert few is not None
    assert few.reasons["interval eer"] == "1 genuine and 2 impostor pairs: an interval needs 20 of each"


def test_the_order_of_the_lines_says_nothing() -> None:
    scores, first, second = world(4, 12)
    order = np.random.default_rng(1).permutation(len(scores))
    one = verification_scores(*sort_owned_pairs(scores, first == second, first, second, 12))
    scores, first, second = scores[order], second[order], first[order]
    assert verification_scores(*sort_owned_pairs(scores, first == second, first, second, 12)) == one
