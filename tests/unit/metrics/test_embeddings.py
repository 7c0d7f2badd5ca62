"""Vectors: what is wrong with them, how far they moved, and all pairs against pairs that are listed one by one."""

from __future__ import annotations

import numpy as np
import pytest

from penstock.foundation.errors import UsageError
from penstock.metrics import embeddings
from penstock.metrics.embeddings import (
    all_pairs,
    drift,
    image_errors,
    score_all_pairs,
    unit_vectors,
    vector_fault,
    vector_lengths,
)
from penstock.metrics.verification import sort_pairs
from penstock.metrics.verification_scores import sort_owned_pairs, verification_scores

PEOPLE = 40


@pytest.fixture
def drawn():
    """161 images of 40 people, some with one image and some with eight, in no order."""
    random = np.random.default_rng(1)
    whose = random.permutation(np.repeat(np.arange(PEOPLE), random.permutation([1, 2, 3, 4, 5, 6, 7, 8] * 5))[:161])
    _, whose = np.unique(whose, return_inverse=True)
    vectors = random.normal(size=(PEOPLE, 32))[whose] + 1.2 * random.normal(size=(161, 32))
    return vectors.astype(np.float32), whose.astype(np.intp)


def listed(gallery, probes, whose):
    """The same pairs as a list: each once, the image of the lower identity (then place) by the gallery."""
    order = np.argsort(whose, kind="stable")
    gallery, probes, whose = unit_vectors(gallery[order]), unit_vectors(probes[order]), whose[order]
    first, second = np.triu_indices(len(whose), 1)
    scores = np.einsum("ij,ij->i", gallery[first].astype(float), probes[second].astype(float)).astype(np.float32)
    return scores, whose[first], whose[second]


def assert_alike(one, other) -> None:
    """Counts are equal; rates may differ by a pair or two, since cosines of both ways differ in the last digits."""
    assert (one.n_genuine, one.n_impostor, one.n_identities) == (other.n_genuine, other.n_impostor, other.n_identities)
    assert one.n_impostor_identities == other.n_impostor_identities
    assert one.eer == pytest.approx(other.eer, abs=2 / one.n_genuine)
    assert one.eer_interval == pytest.approx(other.eer_interval, abs=2 / one.n_genuine)
    for far, tar in one.tar.items():
        assert tar == pytest.approx(other.tar[far], abs=2 / one.n_genuine)
    assert one.reasons == other.reasons


@pytest.mark.slow
@pytest.mark.parametrize("whose", [1.35, 0.01], ids=["enough at once", "too few at first"])
def test_all_pairs_are_those_of_a_list(drawn, whose: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embeddings, "WHOSE", whose)
    monkeypatch.setattr(embeddings, "BLOCK_ROWS", 50)
    vectors, people = drawn
    scores, first, second = listed(vectors, vectors, people)
    expected = verification_scores(*sort_owned_pairs(scores, first == second, first, second, people.max() + 1))
    assert expected is not None
    assert_alike(score_all_pairs(vectors, vectors, people), expected)


@pytest.mark.slow
def test_gallery_and_probes_of_two_versions(drawn) -> None:
    vectors, people = drawn
    random = np.random.default_rng(2)
    turn = np.linalg.qr(random.normal(size=(32, 32)))[0].astype(np.float32)
    alone = score_all_pairs(vectors, vectors, people)
    turned = score_all_pairs(vectors @ turn, vectors @ turn, people)
    assert turned.eer == pytest.approx(alone.eer, abs=2 / alone.n_genuine)  # as good as before, by itself
    across = score_all_pairs(vectors, vectors @ turn, people)
    assert 0.4 < across.eer < 0.6  # and of no use with the old gallery
    scores, first, second = listed(vectors, vectors @ turn, people)
    expected = verification_scores(*sort_owned_pairs(scores, first == second, first, second, people.max() + 1))
    assert expected is not None
    assert_alike(across, expected)


def test_cosines_are_right_to_a_millionth() -> None:
    random = np.random.default_rng(3)
    vectors = random.normal(size=(120, 512))
    people = np.arange(120) // 2
    found = score_all_pairs(vectors, vectors, people)
    exact = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    first, second = np.triu_indices(120, 1)
    pairs = sort_pairs((exact @ exact.T)[first, second], people[first] == people[second])
    assert found.d_prime == pytest.approx(verification_scores(pairs).d_prime, abs=1e-5)
    assert found.threshold["1e-1"] == pytest.approx(verification_scores(pairs).threshold["1e-1"], abs=1e-6)


def test_drift() -> None:
    released = np.array([[1.0, 0.0], [3.0, 4.0], [1.0, 1.0]])
    candidate = np.array([[5.0, 0.0], [-3.0, -4.0], [1.0, 0.0]])
    assert drift(released, candidate) == pytest.approx([1, -1, np.sqrt(0.5)])


@pytest.mark.parametrize(
    ("row", "why"),
    [([np.nan, 1.0], "holds nan"), ([1.0, -np.inf], "holds -inf"), ([0.0, 0.0], "is zero throughout")],
)
def test_the_first_vector_that_is_of_no_use(row: list[float], why: str) -> None:
    assert vector_fault(np.array([[1.0, 0.0], row, row])) == (1, why)
    assert vector_fault(np.array([[1.0, 0.0]])) is None


def test_lengths() -> None:
    assert vector_lengths(np.array([[1.0005, 0], [0, 0.9995]])).unit
    assert not vector_lengths(np.array([[1.002, 0.0]])).unit
    assert not vector_lengths(np.array([[0.998, 0.0]])).unit
    half = np.random.default_rng(1).normal(size=(50, 512))
    half = (half / np.linalg.norm(half, axis=1, keepdims=True)).astype(np.float16)
    assert vector_lengths(half).unit


@pytest.mark.parametrize("scale", [1e200, 1e299, 1e-200, 1e-310])
def test_lengths_of_any_size(scale: float) -> None:
    found = vector_lengths(np.array([[3.0, 4.0], [6.0, 8.0]]) * scale)
    assert found.least == pytest.approx(5 * scale, rel=1e-9, abs=0)
    assert found.most == pytest.approx(10 * scale, rel=1e-9, abs=0)


def test_no_length_overflows() -> None:
    assert unit_vectors(np.array([[3e200, 4e200], [3e-300, 4e-300]])) == pytest.approx(np.array([[0.6, 0.8]] * 2))


def test_too_many_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embeddings, "MOST_VECTORS", 4)
    with pytest.raises(UsageError, match="5 images have 10 pairs"):
        score_all_pairs(np.eye(5), np.eye(5), np.arange(5))


@pytest.mark.parametrize(("people", "kind"), [([0, 1, 2], "genuine"), ([0, 0, 0], "impostor")])
def test_one_kind_of_pairs_is_refused(people: list[int], kind: str) -> None:
    with pytest.raises(UsageError, match=f"there are no {kind} pairs"):
        score_all_pairs(np.eye(3), np.eye(3), np.array(people))


@pytest.mark.slow
def test_an_image_without_a_vector_fails_every_comparison(drawn) -> None:
    vectors, people = drawn
    missing = np.zeros(len(people), bool)
    missing[[3, 50]] = True
    scores, first, second = listed(vectors, vectors, people)
    order = np.argsort(people, kind="stable")
    lost = missing[order]
    one, other = np.triu_indices(len(people), 1)
    scores = np.where(lost[one] | lost[other], np.float32(embeddings.NO_FACE), scores)
    expected = verification_scores(*sort_owned_pairs(scores, first == second, first, second, people.max() + 1))
    assert expected is not None
    vectors[missing] = 0
    found = score_all_pairs(vectors, vectors, people, missing=missing)
    assert_alike(found, expected)
    pairs = all_pairs(vectors, vectors, people, missing=missing)
    assert np.count_nonzero(pairs.genuine == embeddings.NO_FACE) == np.count_nonzero((first == second) & (scores == -2))


def test_errors_of_each_image_are_those_of_a_list(drawn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embeddings, "BLOCK_ROWS", 50)
    vectors, people = drawn
    probes = vectors + np.random.default_rng(2).normal(size=vectors.shape).astype(np.float32)
    missing = np.arange(len(people)) == 7
    found = image_errors(vectors, probes, people, 0.35, missing=missing)
    gallery, asked = unit_vectors(vectors), unit_vectors(probes)
    for row in (0, 7, 60, 160):
        above = (gallery @ asked[row] >= np.float32(0.35)) & ~missing & (row != 7)
        same, others = people == people[row], np.arange(len(people)) != row
        assert found.genuine[row] == (same & others).sum()
        assert found.rejected[row] == (same & others & ~above).sum()
        assert found.impostors[row] == (~same).sum()
        assert found.accepted[row] == (~same & above).sum()
    assert found.rejected[7] == found.genuine[7]
    assert found.accepted[7] == 0
