"""What a suite can settle, before anything runs: held against the verdict's own decisions."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from tests.unit.gating.sized_suites import fid_pair, noisy, only, pair, policy, said, suite, table

from penstock.gating.calibration import Calibration
from penstock.gating.known import Known
from penstock.gating.measurements import MeasurementSource
from penstock.gating.repeats import calibrate
from penstock.gating.suite_size import margin_checks


def test_the_number_of_cases_that_would_settle_a_margin_does() -> None:
    known = Known(pairs=[pair("lse_d", noisy(12, 1.0))])
    rules = policy({"metric": "lse_d", "margin": 0.5})
    found = only(rules, suite(12), known)
    assert (found.answer, found.needed) == ("not settled", 44)  # (3.29 · 1 / 0.5)²
    assert only(rules, suite(44), known).answer == "settled"
    assert only(rules, suite(43), known).answer == "not settled"
    # below 20 cases the bounds are wider than the formula's
    few = only(policy({"metric": "lse_d", "margin": 1.0}), suite(6), known)
    assert few.needed is not None
    assert only(policy({"metric": "lse_d", "margin": 1.0}), suite(few.needed), known).answer == "settled"
    assert only(policy({"metric": "lse_d", "margin": 1.0}), suite(few.needed - 1), known).answer == "not settled"


def test_one_baseline_alone_gives_a_bound_and_never_says_that_a_suite_is_too_small() -> None:
    before, _ = fid_pair(0.05, 0.006)
    rules = policy({"metric": "fid", "margin": "10%"})
    found = only(rules, suite(8), Known(before))
    assert (found.answer, found.spread.basis if found.spread else "") == ("not known", "cases")
    (text,) = said(rules, suite(8), Known(before))
    assert "8 cases may not settle" in text
    assert "at most" in text
    assert "What would settle it cannot be told from that. Gate 'kid' instead" in text
    # cases that lie close together show that a margin holds whatever changes
    close = Known(table("lse_d", noisy(24, 0.1, shift=8.0)))
    assert only(policy({"metric": "lse_d", "margin": "5%"}), suite(24), close).answer == "settled"
    # of cases that are all alike nothing can be said
    alike = Known(table("av_offset_abs", [0.0] * 8))
    assert only(policy({"metric": "av_offset_abs", "margin": 1}), suite(8), alike).answer == "not known"


def test_a_comparison_that_the_rule_stopped_is_no_example_of_what_has_to_be_told_apart() -> None:
    wild, mild = pair("lse_d", noisy(24, 1.0, shift=5.0)), pair("lse_d", noisy(24, 0.1))
    rules = policy({"metric": "lse_d", "margin": "5%"})
    both = only(rules, suite(24), Known(mild[0], [wild, mild]))
    assert both.answer == "settled"
    assert both.spread is not None
    assert (both.spread.basis, both.spread.seen) == ("comparisons", 1)
    alone = only(rules, suite(24), Known(wild[0], [wild]))
    assert alone.spread is not None
    assert (alone.answer, alone.spread.basis) == ("not known", "stopped")
    unchanged = only(rules, suite(24), Known(mild[0], [pair("lse_d", [0.0] * 24)]))
    assert unchanged.spread is None, "a release that changed nothing says nothing of one that does"


def noise(*runs: Sequence[float]) -> Calibration:
    sides = [
        MeasurementSource(f"run-{number}", [*table("latency", values).by_metric["latency"].values()])
        for number, values in enumerate(runs)
    ]
    return calibrate(sides).calibration


def test_noise_counts_and_what_moves_whole_runs_is_not_helped_by_cases() -> None:
    apart = noise(*(noisy(8, 1.0, seed=seed, shift=10.0) for seed in range(5)))
    found = only(policy({"metric": "latency", "margin": "1%"}), suite(8), Known(calibration=apart))
    assert found.spread is not None
    assert (found.answer, found.spread.basis) == ("not settled", "noise")
    assert found.smallest_margin == pytest.approx(apart.metrics[0].smallest_margin)
    assert found.needed is not None
    together = noise(*([10.0 + shift] * 8 for shift in (0.0, 0.5, -0.5, 0.2)))
    rules = policy({"metric": "latency", "margin": "1%"}, baseline="rerun")
    assert only(rules, suite(8), Known(calibration=together)).needed is None
    (text,) = said(rules, suite(8), Known(calibration=together))
    assert "More cases would not: all cases of a run move together." in text
    assert "or 'baseline: rerun'" in text
    # a deterministic model shows no noise, which says nothing of one that changed
    still = noise([1.0] * 8, [1.0] * 8)
    assert only(policy({"metric": "latency", "margin": "1%"}), suite(8), Known(calibration=still)).answer == "not known"
    # sd of the noise is a margin, too
    counted = only(
        policy({"metric": "latency", "margin": "5 sd"}, calibration="c.json"), suite(8), Known(calibration=apart)
    )
    assert counted.margin == pytest.approx(5 * apart.metrics[0].noise)


def test_slices_of_one_metric_share_the_level() -> None:
    before, after = pair("lse_d", noisy(24, 1.0), slice_name="a")
    one = policy({"metric": "lse_d", "slice": "a", "margin": 0.7, "severity": "block"})
    two = policy(*one.model_dump(exclude_unset=True)["rules"], {"metric": "lse_d", "slice": "b", "margin": 0.7})
    known = Known(before, [(before, after)])
    assert only(one, suite(24, a=24), known).answer == "settled"
    assert margin_checks(two, suite(24, a=24, b=20), known)[0].answer == "not settled"
