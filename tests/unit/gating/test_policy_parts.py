"""What a policy can say beside bounds and margins: worst cases, slices, waivers, recorded noise, whole-suite values."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.gating.dated_verdicts import verdict
from tests.unit.gating.gate_verdicts import Values, judged, lines

from penstock.bundle.models import Measurement, Resamples
from penstock.bundle.verdict_record import RuleResult, Verdict
from penstock.gating.gate import headline

NAMES = [f"c{index:02}" for index in range(24)]


def values(count: int, first: float = 7.0, step: float = 0.0) -> Values:
    return {name: first + step * index for index, name in enumerate(NAMES[:count])}


def test_one_bad_case_is_seen_behind_a_good_mean() -> None:
    candidate = values(20) | {"c07": 12.0}
    found = judged("lse_d", candidate, None, max=9.0, worst=11.0)
    assert found.verdict == "fail"
    assert found.reason == "LSE-D of the worst case, 'c07', is 12, above the maximum of 11 for any case"
    assert found.limit == "≤ 9, every case ≤ 11"
    assert judged("lse_d", candidate, None, worst=12.0).verdict == "pass"
    low = judged("lse_c", {"a": 5.0, "b": 0.4}, None, worst=1.0)
    assert (low.verdict, low.limit) == ("fail", "every case ≥ 1")
    assert "'b', is 0.4, below the minimum of 1 for any case" in low.reason


def sliced(change: float, count: int, **rule: Any) -> RuleResult:
    slices = {name: ["hair"] for name in NAMES[:count]}
    here = lines("lse_d", {name: 7 + change + 0.01 * index for index, name in enumerate(NAMES)}, slices=slices)
    there = lines("lse_d", values(24), slices=slices)
    return verdict(here, there, rules=[{"metric": "lse_d", "slice": "hair", "margin": 0.5, **rule}]).rules[0]


@pytest.mark.slow
def test_a_small_slice_advises_and_a_large_one_blocks() -> None:
    small = sliced(1.0, 19)
    assert (small.verdict, small.severity, small.advisory) == ("fail", "warn", True)
    assert small.reason.endswith("only a warning: a slice of fewer than 20 cases")
    large = sliced(1.0, 20)
    assert (large.verdict, large.severity, large.advisory) == ("fail", "block", False)
    # who says 'block' is taken at the word; bounds and missing values are no statistics
    assert (sliced(1.0, 19, severity="block").severity, sliced(1.0, 19, max=7.0).severity) == ("block", "block")
    assert sliced(0.0, 19).advisory is False


def test_slices_of_a_metric_are_judged_together() -> None:
    """Twenty slices of an unchanged model: one of them looks worse by chance, and is not called worse for it."""
    slices = {name: [f"s{index}"] for index, name in enumerate(NAMES)}
    tags: dict[str, list[str]] = {}
    here: list[Measurement] = []
    there: list[Measurement] = []
    rules = []
    for number in range(20):
        names = [f"{number}-{index}" for index in range(20)]
        # every slice's mean is 2 standard errors above the margin of 0
        wobble = {name: 7 + 0.2 * (1 if index % 2 else -1) for index, name in enumerate(names)}
        lift = 2 * 0.2 / 20**0.5
        tags |= {name: [f"s{number}"] for name in names}
        here += lines("lse_d", {name: value + lift for name, value in wobble.items()}, slices=tags)
        there += lines("lse_d", dict.fromkeys(names, 7.0), slices=tags)
        rules.append({"metric": "lse_d", "slice": f"s{number}", "margin": 0})
    assert slices
    alone = verdict(here, there, rules=rules[:1]).rules[0]
    together = verdict(here, there, rules=rules).rules
    assert alone.verdict == "fail"
    assert {rule.verdict for rule in together} == {"inconclusive"}
    assert "(Holm over 20 slices)" in together[0].reason


def waived(expires: str, **changes: Any) -> Verdict:
    waiver = {"metric": "lse_d", "reason": "new voices", "author": "ada", "expires": expires} | changes
    rules = [{"metric": "lse_d", "max": 9.0}, {"metric": "lse_c", "min": 1.0}]
    candidate = lines("lse_d", {"a": 9.5}) + lines("lse_c", {"a": 2.0})
    return verdict(candidate, None, rules=rules, waivers=[waiver])


def test_a_waived_rule_is_judged_and_has_no_say() -> None:
    found = waived("2026-05-04")
    assert found.verdict == "pass"
    rule = found.rules[0]
    assert (rule.verdict, rule.severity) == ("fail", "block")
    assert rule.waiver is not None
    assert (rule.waiver.author, rule.waiver.expires, rule.waiver.expired) == ("ada", "2026-05-04", False)
    assert headline(found) == "pass (first release): 1 rule holds, 1 does not hold and is waived"
    assert Verdict.model_validate_json(found.model_dump_json()) == found


def test_a_waiver_that_is_over_or_of_another_rule_excuses_nothing() -> None:
    over = waived("2026-05-03")
    assert over.verdict == "fail"
    assert over.rules[0].waiver is not None
    assert over.rules[0].waiver.expired
    assert waived("2026-12-31", slice="hair").verdict == "fail"
    assert waived("2026-12-31", metric="fid").rules[0].waiver is None


def whole(value: float, resampled: list[float] | None, key: str = "k") -> list[Measurement]:
    resamples = Resamples(cases=30, key=key, values=resampled) if resampled is not None else None
    return [Measurement(case="*", metric="fid", value=value, resamples=resamples)]


def fid(candidate: list[Measurement], baseline: list[Measurement]) -> RuleResult:
    return verdict(candidate, baseline, rules=[{"metric": "fid", "margin": 0.5}]).rules[0]


def test_a_value_of_the_whole_suite_is_judged_on_its_resamples() -> None:
    base = [float(index % 7) for index in range(100)]
    steady = fid(whole(10.2, [value + 0.2 for value in base]), whole(10.0, base))
    assert (steady.verdict, steady.n) == ("pass", 30)
    # the same mean change, and resamples that disagree about it
    wobbling = fid(whole(10.2, [value + 0.2 + (index % 5) for index, value in enumerate(base)]), whole(10.0, base))
    assert wobbling.verdict == "inconclusive"
    assert wobbling.interval is not None
    assert wobbling.needed is not None


@pytest.mark.parametrize(
    ("candidate", "note"),
    [
        (whole(10.2, None), "one value for the whole suite, without resamples"),
        (whole(10.2, [1.0, 2.0], key="other"), "resamples are not of the same cases"),
    ],
)
def test_without_common_resamples_the_value_is_held_as_it_is_and_says_so(
    candidate: list[Measurement], note: str
) -> None:
    found = fid(candidate, whole(10.0, [1.0, 2.0]))
    assert found.verdict == "pass"
    assert note in found.reason


def latencies(value: float, resampled: list[float], key: str = "k") -> list[Measurement]:
    resamples = Resamples(cases=100, key=key, values=resampled)
    return [Measurement(case="*", metric="load_p95_ms", value=value, resamples=resamples)]


def test_values_over_requests_speak_of_requests() -> None:
    rules = [{"metric": "load_p95_ms", "margin": 0.5}]
    base = [10.0 + index % 7 for index in range(100)]
    wobbling = latencies(10.2, [value + 0.2 + 2 * (index % 5) for index, value in enumerate(base)])
    open_ = verdict(wobbling, latencies(10.0, base), rules=rules).rules[0]
    assert open_.verdict == "inconclusive"
    assert "100 requests leave open whether" in open_.reason
    assert f"about {open_.needed} requests would settle it" in open_.reason
    other = verdict(wobbling, latencies(10.0, base, "other"), rules=rules).rules[0]
    assert "resamples are not of the same requests" in other.reason


def test_one_value_that_is_missing_is_no_case_of_a_suite() -> None:
    lost = Measurement(case="*", metric="load_p95_ms", value=None, error="it was\nnever ready")
    found = verdict([lost], None, rules=[{"metric": "load_p95_ms", "max": 5.0}]).rules[0]
    assert found.reason == "no value of P95 under load: it was never ready"


def test_what_is_open_says_what_would_settle_it() -> None:
    here = {name: 7 + 0.3 * (1 if index % 2 else -0.6) for index, name in enumerate(NAMES)}
    found = judged("lse_d", here, values(24), margin=0.1)
    assert found.verdict == "inconclusive"
    assert found.reason.startswith("LSE-D rose from 7 to 7.06 (+0.06); 24 cases leave open whether that is within the ")
    assert "allowed +0.1: it may be from -0.0" in found.reason
    assert "(95 % confidence on each side)" in found.reason
    assert f"about {found.needed} cases would settle it" in found.reason
