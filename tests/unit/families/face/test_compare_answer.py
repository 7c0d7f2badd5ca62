"""An answer of ``/compare``: the lower quality score decides, whatever the similarity."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.unit.families.face.answers import compare, written

from penstock.families.face.compare_answer import band_fault, read_compare
from penstock.families.face.feature_answer import BadAnswerError


def fault(folder: Path, **changes: Any) -> str:
    return band_fault(read_compare(written(folder, compare(**changes))))


@pytest.mark.parametrize(
    ("lower", "decision"),
    [(1.0, "pass"), (0.8, "pass"), (0.7999, "mark"), (0.6, "mark"), (0.5999, "retry"), (0.4, "retry"),
     (0.3999, "refused"), (0.0, "refused")],
)  # fmt: skip
@pytest.mark.parametrize("side", ["quality_score1", "quality_score2"])
def test_the_lower_score_decides(tmp_path: Path, side: str, lower: float, decision: str) -> None:
    scores = {"quality_score1": 1.0, "quality_score2": 1.0, side: lower, "advice": "Look into the camera."}
    for said in ("pass", "mark", "retry", "refused"):
        found = fault(tmp_path, decision=said, similarity=0.99, **scores)
        assert bool(found) is (said != decision)
        assert not found or f"the decision must be '{decision}', whatever the similarity; it is '{said}'" in found


def test_a_refusal_needs_a_reason_and_no_similarity(tmp_path: Path) -> None:
    low = {"quality_score1": 0.2, "decision": "refused"}
    assert fault(tmp_path, **low, advice="too dark", similarity=None) == ""
    for blank in (" \n", "\u200b\u202e"):
        assert fault(tmp_path, **low, advice=blank) == "it is refused without a reason: 'advice' is blank"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"decision": "yes"}, "'decision' is \"yes\", none of pass, mark, retry, refused"),
        ({"decision": ["pass"]}, "'decision' is [\"pass\"], none of"),
        ({"advice": None}, "'advice' is null, not a text"),
        ({"advice": "\u200b" * 10_001}, "'advice' has 10,001 characters, and 10,000 are the limit"),
        ({"similarity": None}, "'similarity' is null, and the decision is 'pass': only a refusal has none"),
        ({"similarity": "0.9"}, "'similarity' is text (\"0.9\"), not a number"),
        ({"quality_score1": 3.2}, "'quality_score1' is 3.2, outside 0 to 1: RTS gives exp(log-variance)"),
        ({"quality_score2": None}, "'quality_score2' is null (null), not a number"),
    ],
)
def test_what_is_wrong_is_said(tmp_path: Path, changes: dict[str, Any], said: str) -> None:
    with pytest.raises(BadAnswerError) as told:
        read_compare(written(tmp_path, compare(**changes)))
    assert said in told.value.what
