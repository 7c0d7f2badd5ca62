"""The extreme pairs are those that comparing all pairs one by one finds."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from penstock.metrics import pair_extremes as module
from penstock.metrics.pair_extremes import OFTEN, least_alike_genuine, most_alike_impostors


@pytest.mark.parametrize("block", [1, 7, 256])
@pytest.mark.parametrize("same", [True, False])
def test_against_every_pair(monkeypatch: pytest.MonkeyPatch, block: int, same: bool) -> None:
    monkeypatch.setattr(module, "BLOCK_ROWS", block)
    random = np.random.default_rng(3)
    identities = np.repeat(np.arange(12), 4)
    vectors = random.normal(size=(48, 8)).astype(np.float32)
    missing = random.random(48) < 0.1
    vectors[missing] = 0
    units = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)
    scores = {
        (i, j): float(units[i] @ units[j])
        for i, j in itertools.combinations(range(48), 2)
        if (identities[i] == identities[j]) is np.bool_(same) and not missing[i] and not missing[j]
    }
    wanted, used = [], dict.fromkeys(range(48), 0)
    for pair in sorted(scores, key=lambda pair: scores[pair] if same else -scores[pair]):
        if len(wanted) < 5 and max(used[pair[0]], used[pair[1]]) < OFTEN:
            wanted.append(pair)
            used[pair[0]] += 1
            used[pair[1]] += 1
    find = least_alike_genuine if same else most_alike_impostors
    found = find(vectors, identities, 5, missing=missing)
    assert [(pair.first, pair.second) for pair in found] == wanted
    assert [pair.score for pair in found] == pytest.approx([scores[pair] for pair in wanted], abs=1e-6)


def test_one_bad_image_is_not_in_all_of_them() -> None:
    vectors = np.tile(np.array([1.0, 0.0], np.float32), (10, 1))
    vectors[0] = (0.0, 1.0)
    found = least_alike_genuine(vectors, np.zeros(10, np.intp), 4, missing=np.zeros(10, bool))
    assert len(found) == 4
    assert sum(0 in (pair.first, pair.second) for pair in found) == OFTEN


def test_nothing_to_compare() -> None:
    nothing = np.ones(3, bool)
    vectors, identities = np.ones((3, 2), np.float32), np.array([0, 1, 1])
    assert most_alike_impostors(vectors, identities, 5, missing=nothing) == []
    alone = np.array([True, True, False])
    assert least_alike_genuine(vectors, identities, 5, missing=alone) == []
    apart = most_alike_impostors(vectors, np.zeros(3, np.intp), 5, missing=~nothing)
    assert apart == []
