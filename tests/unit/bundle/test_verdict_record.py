"""What a rule's record says of its own weight in the verdict."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from penstock.bundle.verdict_record import RuleResult, Verdict, WaiverRecord

ENDED = WaiverRecord(reason="new data", author="Ann", expires="2026-01-01", expired=True)


def result(**changes: Any) -> RuleResult:
    fields = {"metric": "mae", "slice": None, "verdict": "fail", "reason": "MAE is too large", "limit": "≤ 0.1", "n": 3}
    return RuleResult.model_validate(fields | dict.fromkeys(("baseline", "candidate", "change", "interval")) | changes)


def test_a_rule_blocks_unless_it_warns_has_too_few_cases_or_is_waived() -> None:
    assert result().blocks
    assert not result(severity="warn").blocks
    assert not result(advisory=True).blocks
    assert not result(waiver=ENDED.model_copy(update={"expired": False})).blocks


def test_a_waiver_that_ended_takes_nothing_away() -> None:
    ended = result(waiver=ENDED)
    assert not ended.waived
    assert ended.blocks


def test_there_are_three_verdicts() -> None:
    with pytest.raises(ValidationError):
        Verdict.model_validate({"verdict": "maybe", "level": 0.05, "rules": []})
