"""Means of cosines between identities are those of all pairs of their images."""

from __future__ import annotations

import numpy as np
import pytest

from penstock.metrics import identity_means as module
from penstock.metrics.identity_means import identity_means

RANDOM = np.random.default_rng(5)
IDENTITIES = np.array([0, 0, 0, 1, 1, 2, 3, 3])
GALLERY = RANDOM.normal(size=(8, 6)).astype(np.float32)
PROBES = RANDOM.normal(size=(8, 6)).astype(np.float32)


def one_by_one(first: int, second: int) -> float:
    gallery, probes = (each / np.linalg.norm(each, axis=1, keepdims=True) for each in (GALLERY, PROBES))
    cosines = [
        float(probes[i] @ gallery[j])
        for i in np.flatnonzero(first == IDENTITIES)
        for j in np.flatnonzero(second == IDENTITIES)
        if i != j
    ]
    return float(np.mean(cosines)) if cosines else np.nan


def test_against_every_pair() -> None:
    everyone = np.arange(4)
    found = identity_means(GALLERY, PROBES, IDENTITIES).of(everyone, everyone)
    wanted = [[one_by_one(row, column) for column in everyone] for row in everyone]
    np.testing.assert_allclose(found, wanted, atol=1e-6)
    assert np.isnan(found[2, 2]), "one image alone is not compared with itself"
    some = identity_means(GALLERY, PROBES, IDENTITIES).of(np.array([3, 1]), np.array([1]))
    np.testing.assert_allclose(some, [[wanted[3][1]], [wanted[1][1]]], atol=1e-6)


@pytest.mark.parametrize("block", [1, 3, 512])
def test_who_is_told_apart_the_least(monkeypatch: pytest.MonkeyPatch, block: int) -> None:
    monkeypatch.setattr(module, "BLOCK_ROWS", block)
    angles = np.radians([0, 1, 90, 91, 93, 94, 200, 201])
    vectors = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)
    people = np.repeat(np.arange(4), 2)
    means = identity_means(vectors, vectors, people)
    assert set(means.least_told_apart(2).tolist()) == {1, 2}
    assert len(means.least_told_apart(20)) == 4
