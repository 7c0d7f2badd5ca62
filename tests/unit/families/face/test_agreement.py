"""Two answers of one face model: vectors and decisions, and what cannot be compared."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.unit.families.face.answers import compare as pair
from tests.unit.families.face.answers import feature, written

from penstock.families.face.agreement import compare
from penstock.families.registry import family
from penstock.foundation.errors import UsageError


def apart(folder: Path, one: Any, other: Any, **given: Any) -> dict[str, float]:
    files = []
    for name, content in (("one", one), ("other", other)):
        (folder / name).mkdir(exist_ok=True)
        files.append({"": written(folder / name, content)})
    return compare(*files, given)


def test_the_same_answer_is_no_distance_by_each_of_the_familys_limits(tmp_path: Path) -> None:
    agreement = family("face").agreement
    assert agreement is not None
    for answer in (feature(), pair()):
        assert apart(tmp_path, answer, answer) == dict.fromkeys(agreement.limits, 0.0)


def test_a_vector_that_turns(tmp_path: Path) -> None:
    turned = feature(feature=[1.2, -1.6, *[0.0] * 510], quality_score=0.7)
    found = apart(tmp_path, feature(), turned)
    cosine = (0.6 * 1.2 - 0.8 * 1.6) / 2
    assert found == pytest.approx({"vector": 1 - cosine, "quality": 0.2, "similarity": 0, "decision": 0})
    small = feature(feature=[0.6 * np.cos(0.01), 0.8, 0.6 * np.sin(0.01), *[0.0] * 509])
    assert 0 < apart(tmp_path, feature(), small)["vector"] < 1e-4


def test_a_pair_that_is_decided_otherwise(tmp_path: Path) -> None:
    other = pair(similarity=0.65, quality_score2=0.79, decision="mark")
    assert apart(tmp_path, pair(), other) == pytest.approx(
        {"vector": 0, "quality": 0.06, "similarity": 0.05, "decision": 1}
    )
    refused = pair(similarity=None, quality_score2=0.1, decision="refused", advice="too dark")
    assert apart(tmp_path, refused, refused)["similarity"] == 0
    with pytest.raises(UsageError, match="refuses to say"):
        apart(tmp_path, refused, pair())


def test_what_cannot_be_compared(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="one answer is of an image and the other of a pair"):
        apart(tmp_path, feature(), pair())
    with pytest.raises(UsageError, match="512 values where 128 are promised"):
        apart(tmp_path, feature(), feature(), feature_length=128)
    with pytest.raises(UsageError, match="not JSON"):
        apart(tmp_path, feature(), "<html>")
    file = written(tmp_path, feature())
    with pytest.raises(UsageError, match="several calls"):
        compare({"": file}, {"feature": file, "more": file}, {})
