"""Rules about a slice as a whole: one value for its cases together, with its interval."""

from __future__ import annotations

import random

from tests.unit.gating.gate_verdicts import judged_by

from penstock.bundle.models import Measurement, Resamples
from penstock.contract.floor import PolicyFloor
from penstock.gating.floor import Floor


def calibration(name: str | None, value: float, *, seed: int = 1, cases: int = 60) -> Measurement:
    """A calibration error of the suite or of a slice, with resamples of the same cases on both sides."""
    random_ = random.Random(seed)
    values = [value + random_.gauss(0, 0.01) for _ in range(200)]
    drawn = Resamples(cases=cases, key="k", values=values)
    return Measurement(case="*", metric="ece", value=value, slice=name, resamples=drawn)


def test_a_slice_s_value_as_a_whole_is_judged_with_its_interval() -> None:
    rules = [{"metric": "ece", "slice": name, "max": 0.25, "margin": 0.05} for name in ("blur", "dark", "mask")]
    before = [calibration(name, 0.1) for name in (None, "blur", "dark", "mask")]
    after = [
        calibration(None, 0.1, seed=2),
        calibration("blur", 0.1, seed=2),
        calibration("dark", 0.2, seed=2),
        calibration("mask", 0.3, seed=2),
    ]
    found = judged_by({"rules": rules}, after, before)
    assert [rule.verdict for rule in found.rules] == ["pass", "fail", "fail"]
    blur, dark, mask = found.rules
    assert (blur.n, dark.n) == (60, 60)
    assert dark.interval is not None
    assert dark.interval[0] > 0.05
    assert dark.reason.startswith("calibration error rose from 0.1 to 0.2")
    assert dark.reason.endswith("(Holm over 3 slices)")
    assert mask.reason.startswith("calibration error is 0.3, above the maximum of 0.25")
    close = [*after[:2], calibration("dark", 0.15, seed=2), calibration("mask", 0.1, seed=2)]
    assert [rule.verdict for rule in judged_by({"rules": rules}, close, before).rules] == [
        "pass",
        "inconclusive",
        "pass",
    ]


def test_a_slice_of_few_cases_only_warns_and_one_without_a_value_fails() -> None:
    few = [[calibration(None, value), calibration("blur", value, cases=12)] for value in (0.1, 0.4)]
    (rule,) = judged_by({"rules": [{"metric": "ece", "slice": "blur", "margin": 0.05}]}, few[1], few[0]).rules
    assert (rule.verdict, rule.advisory) == ("fail", True)
    (rule,) = judged_by({"rules": [{"metric": "ece", "slice": "dark", "max": 0.5}]}, few[0], None).rules
    assert rule.reason == "missing: the candidate has no value of calibration error in the slice 'dark'"
    lost = [few[0][0], Measurement(case="*", metric="ece", value=None, slice="blur", error="no label was found")]
    (rule,) = judged_by({"rules": [{"metric": "ece", "slice": "blur", "max": 0.5}]}, lost, None).rules
    assert rule.reason == "no value of calibration error in the slice 'blur': no label was found"


def test_a_baseline_of_before_slices_had_values_cannot_be_compared_with() -> None:
    after = [calibration(None, 0.1), calibration("blur", 0.1)]
    rules = {"rules": [{"metric": "ece", "slice": "blur", "margin": 0.05, "severity": "block"}]}
    (rule,) = judged_by(rules, after, [calibration(None, 0.1)]).rules
    assert rule.reason == (
        "the baseline has no value of calibration error in the slice 'blur'; measure it again with this policy"
    )
    (rule,) = judged_by(
        {"rules": [{"metric": "ece", "slice": "blur", "max": 0.2}]}, after, [calibration(None, 0.1)]
    ).rules
    assert rule.verdict == "pass"  # a bound needs none
    drawn = after[1].model_copy(update={"resamples": None})
    (rule,) = judged_by(rules, [after[0], drawn], [after[0], drawn]).rules
    assert "one value for the whole slice, without resamples: held as it is" in rule.reason


def test_a_slice_looks_at_its_own_cases_alone_for_the_floor() -> None:
    cases = [Measurement(case=f"c{n}", metric="top1", value=1.0, slices=["blur"] if n < 3 else []) for n in range(9)]
    value = Measurement(case="*", metric="ece", value=0.1, slice="blur")
    floor = Floor(
        PolicyFloor.model_validate({"rules": [{"metric": "ece", "slice": "blur", "max": 0.2, "min_cases": 4}]}), ""
    )
    whole = Measurement(case="*", metric="ece", value=0.1)
    found = judged_by({"rules": [{"metric": "ece", "max": 0.2}]}, [*cases, whole, value], None, floor=floor)
    assert found.rules[-1].reason.startswith("3 cases, fewer than the 4 that the platform's floor asks for")
