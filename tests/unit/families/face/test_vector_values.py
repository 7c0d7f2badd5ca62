"""What is said of vectors of one version, and of two."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tests.unit.families.face.drawn_vectors import NAMES, PEOPLE, WHOSE, turned, vectors

from penstock.families.face.embedding_file import StoredVectors
from penstock.families.face.vector_values import (
    NO_IDENTITIES,
    matched,
    vector_content,
    vector_lines,
    vector_values,
)
from penstock.foundation.errors import UsageError
from penstock.metrics.embeddings import score_all_pairs


def stored(rows: np.ndarray, *, identities=WHOSE, names=None, path: str = "a.npz") -> StoredVectors:
    return StoredVectors(Path(path), rows, identities, names)


@pytest.mark.slow
def test_one_version() -> None:
    found = vector_values(stored(vectors()), None)
    people = np.unique(WHOSE, return_inverse=True)[1]
    assert found.released.rates == score_all_pairs(vectors(), vectors(), people)
    assert found.released.lengths.unit
    content = vector_content(found)
    assert (content["n"], content["values"], content["length"]["unit"], content["reasons"]) == (90, 32, True, {})
    assert content["verification"]["n_identities"] == PEOPLE
    assert vector_lines(found)[0] == "vectors       90 of 32 values, length 1"


@pytest.mark.slow
def test_a_rotation_is_as_good_and_of_no_use_with_the_old_gallery() -> None:
    found = vector_values(stored(vectors()), stored(turned(vectors())))
    released, candidate, across = found.released.rates, found.candidate.rates, found.across
    assert candidate.eer == pytest.approx(released.eer, abs=0.02)
    assert released.tar["1e-1"] > 0.9
    assert across.tar["1e-1"] < 0.3
    assert abs(found.drift["mean"]) < 0.2
    content = vector_content(found)
    assert content["cross_version"]["eer"] == across.eer
    assert content["candidate"]["verification"]["eer"] == candidate.eer
    assert list(content["drift"]) == ["least", "p1", "p5", "median", "mean"]
    lines = vector_lines(found)
    assert "gallery of the released, probes of the candidate" in lines


@pytest.mark.slow
def test_images_are_matched_by_their_names() -> None:
    order = np.random.default_rng(1).permutation(90)
    one = stored(vectors(), names=NAMES)
    other = stored(vectors()[order], identities=WHOSE[order], names=NAMES[order])
    assert np.array_equal(matched(one, other).vectors, one.vectors)
    assert vector_values(one, other).drift == pytest.approx(dict.fromkeys(["least", "p1", "p5", "median", "mean"], 1))


def test_without_identities_vectors_are_checked_and_drift_is_told() -> None:
    found = vector_values(stored(vectors(), identities=None), stored(2 * vectors(), identities=None))
    content = vector_content(found)
    assert content["cross_version"] is content["released"]["verification"] is None
    assert content["reasons"] == {"verification": NO_IDENTITIES, "cross_version": NO_IDENTITIES}
    assert content["drift"]["least"] == pytest.approx(1)
    assert not content["candidate"]["length"]["unit"]
    assert vector_lines(found).count(NO_IDENTITIES) == 3


@pytest.mark.slow
def test_identities_of_one_side_are_enough() -> None:
    found = vector_values(stored(vectors(), identities=None), stored(vectors()))
    assert found.across is not None
    assert found.across == found.released.rates


@pytest.mark.parametrize(
    ("other", "what"),
    [
        (stored(vectors()[:, :16]), "the vectors have 32 and 16 values: a stored gallery cannot be compared"),
        (stored(vectors()[:89], identities=WHOSE[:89]), "there are 90 and 89 vectors"),
        (stored(vectors(), identities=np.array(["other", *WHOSE[1:]])), "row 0 is of 'person 0' and of 'other'"),
        (
            stored(vectors()[:89], identities=WHOSE[:89], names=NAMES[:89]),
            "1 images are in the first file alone, among them 'image 89.png'",
        ),
        (
            stored(vectors(), names=np.array([*NAMES[:89], "new.png"])),
            "1 images are in the first file alone, among them 'image 89.png'",
        ),
    ],
)
def test_what_does_not_fit_together(other: StoredVectors, what: str) -> None:
    with pytest.raises(UsageError) as caught:
        vector_values(stored(vectors(), names=NAMES), other)
    assert str(caught.value).startswith(f"a.npz and a.npz: {what}")


def test_an_image_that_only_the_candidate_has() -> None:
    one = stored(vectors()[:89], identities=WHOSE[:89], names=NAMES[:89])
    with pytest.raises(UsageError, match="1 images are in the second file alone"):
        matched(one, stored(vectors(), names=NAMES))


@pytest.mark.parametrize(
    ("identities", "what"),
    [(np.array(["a"] * 90), "all images are of one person"), (NAMES, "there are no two images of one person")],
)
def test_one_kind_of_pairs(identities: np.ndarray, what: str) -> None:
    with pytest.raises(UsageError, match=f"a.npz: {what}"):
        vector_values(stored(vectors(), identities=identities), None)
