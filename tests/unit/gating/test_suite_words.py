"""What ``penstock check`` says of margins that a suite cannot settle."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

import pytest

from penstock.bundle.models import Measurement, Resamples
from penstock.contract.models import Suite
from penstock.contract.policy import Policy
from penstock.gating.calibration import Calibration
from penstock.gating.measurements import Source, Table
from penstock.gating.repeats import calibrate
from penstock.gating.suite_size import Known, MarginCheck, Pair, margin_checks
from penstock.gating.suite_words import policy_remarks, rounded_up, size_remarks


def suite(cases: int, **slices: int) -> Suite:
    """``cases`` cases, the first so many of which carry a slice."""
    listed = [
        {
            "name": f"case-{number:03}",
            "inputs": {"image": "a.png", "audio": "a.wav"},
            "slices": [name for name, count in slices.items() if number < count],
        }
        for number in range(cases)
    ]
    return Suite.model_validate({"version": 1, "family": "talking-head", "cases": listed})


def policy(*rules: dict[str, Any], **more: Any) -> Policy:
    return Policy.model_validate({"rules": list(rules), **more})


def table(metric: str, values: Sequence[float], slice_name: str = "") -> Table:
    slices = [slice_name] if slice_name else []
    lines = [
        Measurement(case=f"case-{number:03}", metric=metric, value=value, slices=slices)
        for number, value in enumerate(values)
    ]
    return Table("side", lines)


def whole(metric: str, value: float, values: Sequence[float], cases: int) -> Measurement:
    return Measurement(
        case="*", metric=metric, value=value, resamples=Resamples(cases=cases, key="k", values=list(values))
    )


def noisy(count: int, deviation: float, seed: int = 1, shift: float = 0.0) -> list[float]:
    """Differences with exactly this standard deviation, around ``shift``."""
    draw = random.Random(seed)
    values = [draw.gauss(0, 1) for _ in range(count)]
    mean = sum(values) / count
    scale = (sum((value - mean) ** 2 for value in values) / (count - 1)) ** 0.5
    return [shift + deviation * (value - mean) / scale for value in values]


def only(rules: Policy, cases: Suite, known: Known) -> MarginCheck:
    (found,) = margin_checks(rules, cases, known)
    return found


def said(rules: Policy, cases: Suite, known: Known) -> list[str]:
    remarks = [*policy_remarks(rules), *size_remarks(rules, margin_checks(rules, cases, known))]
    assert all(remark.warning for remark in remarks)
    return [f"{remark.place}: {remark.what}. {remark.todo}" for remark in remarks]


def fid_pair(deviation: float, kid: float) -> Pair:
    """FID and KID on 8 clips: the resamples differ by so much."""
    draws = noisy(400, 1.0, seed=3)
    base = [30 + 10 * value for value in noisy(400, 1.0, seed=4)]
    sides: list[list[Measurement]] = [[], []]
    for metric, scale in (("fid", deviation), ("kid", kid)):
        sides[0].append(whole(metric, 0.255, base, 8))
        sides[1].append(whole(metric, 0.241, [a + scale * b for a, b in zip(base, draws, strict=True)], 8))
    return Table("baseline", sides[0]), Table("candidate", sides[1])


def test_fid_over_few_clips_is_named_with_what_would_settle_it() -> None:
    before, after = fid_pair(0.0536, 0.006)
    rules = policy({"metric": "fid", "margin": "10%"})
    found = only(rules, suite(8), Known(before, [(before, after)]))
    assert found.answer == "not settled"
    assert found.error == pytest.approx(0.0536 * (8 / 7) ** 0.5, rel=1e-2)
    (text,) = said(rules, suite(8), Known(before, [(before, after)]))
    assert text.startswith(
        "rules[0].margin: 8 cases cannot settle a margin of 10 % (0.026) on FID: its change has a standard error of "
        "0.057, by 1 earlier comparison. About 4"
    )
    assert "cases would settle it, or a margin of 80 %. Or gate 'kid': these cases settle a margin of 0.023" in text
    # KID is held to a number
    held = policy({"metric": "kid", "margin": 0.03})
    assert only(held, suite(8), Known(before, [(before, after)])).answer == "settled"
    assert said(held, suite(8), Known(before, [(before, after)])) == []


def noise(*runs: Sequence[float]) -> Calibration:
    sides = [
        Source(f"run-{number}", [*table("latency", values).by_metric["latency"].values()])
        for number, values in enumerate(runs)
    ]
    return calibrate(sides).calibration


@pytest.mark.parametrize(
    ("rule", "cases", "words"),
    [
        ({"metric": "lse_d", "margin": "5%"}, suite(1), "one case cannot tell a change of LSE-D from noise"),
        ({"metric": "lse_d", "margin": "5%"}, suite(1), "Take 5 cases at least; 20 are better."),
        ({"metric": "kid", "margin": 0.02}, suite(1), "one clip shows no spread: KID is compared as if it were exact"),
        ({"metric": "fid", "margin": "5%"}, suite(8), "FID of 8 cases is biased upwards"),
        ({"metric": "kid", "margin": "5%"}, suite(24), "KID of a good model lies near 0"),
        (
            {"metric": "fid", "slice": "fast", "margin": "5%", "severity": "warn"},
            suite(24, fast=20),
            "FID has one value for the whole suite and none for a slice: this rule always fails (this rule only warns)",
        ),
        (
            {"metric": "lse_d", "slice": "fast", "margin": "5%"},
            suite(24, fast=6),
            "the slice 'fast' has 6 cases: below 20, its margin only warns. Write 'severity: warn', or",
        ),
        ({"metric": "real_time_factor", "margin": "20%"}, suite(24), "compared with values that were measured on"),
        ({"metric": "peak_memory", "margin": "20%"}, suite(24), "Write 'baseline: rerun' beside 'rules', or give"),
    ],
)
def test_what_can_be_said_without_any_measurement(rule: dict[str, Any], cases: Suite, words: str) -> None:
    (text,) = said(policy(rule), cases, Known())
    assert words in text


def test_a_level_that_few_cases_cannot_reach() -> None:
    (text,) = said(policy({"metric": "lse_d", "margin": "5%"}, level=0.01), suite(5), Known())
    assert "5 cases cannot settle anything at the level 0.01. Take 7 cases at least" in text


@pytest.mark.parametrize(
    ("rule", "more"),
    [
        ({"metric": "real_time_factor", "max": 1.0}, {}),
        ({"metric": "real_time_factor", "margin": "20%", "severity": "warn"}, {}),
        ({"metric": "real_time_factor", "margin": "20%"}, {"baseline": "rerun"}),
        ({"metric": "lse_d", "margin": "5%"}, {}),
        ({"metric": "lse_d", "slice": "fast", "margin": "5%", "severity": "block"}, {}),
        ({"metric": "lse_d", "slice": "none", "margin": "5%"}, {}),  # said by the policy's own check
        ({"metric": "our_own", "margin": 1, "direction": "lower"}, {}),
    ],
)
def test_nothing_is_said_without_a_reason(rule: dict[str, Any], more: dict[str, Any]) -> None:
    assert said(policy(rule, **more), suite(24, fast=6), Known()) == []


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.2, "0.2"), (0.02271, "0.023"), (79.4, "80"), (8.61, "8.7"), (9.91, "10"), (0.0995, "0.1"), (1234.0, "1300")],
)
def test_a_margin_that_is_recommended_is_never_too_small(value: float, text: str) -> None:
    assert rounded_up(value) == text
    assert float(text) >= value
