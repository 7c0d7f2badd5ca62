"""What ``penstock check`` says of margins that a suite cannot settle."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.gating.sized_suites import fid_pair, only, policy, said, suite

from penstock.contract.models import Suite
from penstock.gating.known import Known
from penstock.gating.suite_words import rounded_up


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
            {"metric": "fid", "slice": "fast", "max": 40.0},
            suite(24, fast=20),
            "rules[0].slice: FID has one value for the whole suite and none for a slice: this rule always fails. Leave",
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
