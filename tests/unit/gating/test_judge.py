"""Two sides to a verdict."""

from __future__ import annotations

from pathlib import Path

import pytest

from penstock.bundle.models import Measurement, Run, SuiteRecord
from penstock.contract.policy import Policy
from penstock.foundation.errors import UsageError
from penstock.gating.judge import judge
from penstock.gating.measurements import MeasurementSource

POLICY = Policy.model_validate({"rules": [{"metric": "lse_d", "margin": 0.1}]})


def side(name: str, value: float, *, suite: str = "a", cases: tuple[str, ...] = ()) -> MeasurementSource:
    values = [Measurement(case=case, metric="lse_d", value=value) for case in ("one", "two", "three")]
    run = Run(penstock="0.1.0", run_id=name, suite=SuiteRecord(digest=suite, cases=3))
    return MeasurementSource(name, values, cases, run)


def test_names_and_answer(tmp_path: Path) -> None:
    verdict = judge(side("new", 9.0), side("old", 8.0), POLICY, tmp_path)
    assert (verdict.candidate, verdict.baseline, verdict.verdict) == ("new", "old", "fail")


def test_other_cases_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="the two runs cannot be compared: suite"):
        judge(side("new", 8.0, suite="b"), side("old", 8.0), POLICY, tmp_path)


def test_a_case_that_was_put_to_the_model_must_have_a_value(tmp_path: Path) -> None:
    verdict = judge(side("new", 8.0, cases=("one", "four")), side("old", 8.0), POLICY, tmp_path)
    assert verdict.verdict == "fail"
    assert "four" in verdict.rules[0].reason


def test_the_calibration_lies_in_the_folder(tmp_path: Path) -> None:
    policy = POLICY.model_copy(update={"calibration": "noise.json"})
    with pytest.raises(UsageError, match=r"noise\.json"):
        judge(side("new", 8.0), None, policy, tmp_path)
