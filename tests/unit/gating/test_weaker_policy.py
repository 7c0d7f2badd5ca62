"""Where a commit's policy asks less than the current release's."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.contract.policy import Policy
from penstock.families.registry import directions
from penstock.gating.weaker_policy import weakened

LSE = {"metric": "lse_d", "max": 9.0, "margin": "5%"}


def said(before: dict[str, Any], now: dict[str, Any]) -> list[str]:
    policies = [Policy.model_validate({"rules": [LSE]} | each) for each in (before, now)]
    return [
        f"{one.metric or 'policy'}{f' ({one.slice})' if one.slice else ''}: {one.what}"
        for one in weakened(*policies, known=directions())
    ]


def of_rule(before: dict[str, Any], now: dict[str, Any]) -> list[str]:
    rules = [{"rules": [{"metric": "lse_d"} | each, {"metric": "kid", "max": 1.0}]} for each in (before, now)]
    return said(*rules)


@pytest.mark.parametrize(
    ("before", "now", "what"),
    [
        ({"max": 9.0}, {"max": 12.0}, "max 9 became 12"),
        ({"max": 9.0}, {"margin": 0.1}, "max 9 is gone"),
        ({"min": 1.0}, {"min": 0.5}, "min 1 became 0.5"),
        ({"worst": 11}, {"worst": 12}, "worst 11 became 12"),
        ({"margin": "5%"}, {"margin": "8%"}, "margin 5 % became 8 %"),
        ({"margin": "5%"}, {"margin": 0.01}, "margin 5 % became 0.01"),
        ({"margin": "1 sd", "max": 9}, {"max": 9}, "margin 1 sd is gone"),
        ({"max": 9, "confidence": 0.99}, {"max": 9, "confidence": 0.9}, "confidence 0.99 became 0.9"),
        ({"max": 9}, {"max": 9, "severity": "warn"}, "only warns"),
    ],
)
def test_what_is_weaker_in_a_rule(before: dict[str, Any], now: dict[str, Any], what: str) -> None:
    assert of_rule(before, now) == [f"lse_d: {what}"]
    assert of_rule(before, before) == []


@pytest.mark.parametrize(
    ("before", "now"),
    [
        ({"max": 9.0}, {"max": 8.0}),
        ({"max": 9.0, "severity": "warn"}, {"max": 9.0}),
        ({"margin": "8%"}, {"margin": "5%", "max": 3.0}),
        ({"worst": 12}, {"worst": 11}),
    ],
)
def test_what_is_stricter_is_not_told(before: dict[str, Any], now: dict[str, Any]) -> None:
    assert of_rule(before, now) == []
    assert of_rule(now, before) != []


def test_a_rule_that_is_gone_and_one_that_another_replaces() -> None:
    of_slice = {"metric": "lse_d", "slice": "fast", "max": 9.0, "severity": "block"}
    assert said({"rules": [LSE, of_slice]}, {}) == ["lse_d (fast): there is no such rule any more"]
    lenient = {name: value for name, value in of_slice.items() if name != "severity"}
    small = "lse_d (fast): only warns over few cases ('severity: block' is gone)"
    assert said({"rules": [LSE, of_slice]}, {"rules": [LSE, lenient]}) == [small]
    # a second rule of the same metric holds what the first one held
    assert said({}, {"rules": [{"metric": "lse_d", "max": 20.0}, LSE]}) == []


@pytest.mark.parametrize(
    ("before", "now", "told"),
    [
        (
            {"metric": "load_p95_ms", "max": 300.0, "confidence": 0.95},
            [{"max": 300.0}, {"max": 9e9, "confidence": 0.95}],
            "load_p95_ms: confidence 0.95 is gone",
        ),
        (
            {"metric": "preference", "min": 0.4, "ratings": 500},
            [{"min": 0.4, "ratings": 10}, {"min": 0.01, "ratings": 500}],
            "preference: ratings 500 became 10",
        ),
    ],
)
def test_how_sure_a_bound_must_be_belongs_to_that_bound(
    before: dict[str, Any], now: list[dict[str, Any]], told: str
) -> None:
    split = [{"metric": before["metric"]} | one for one in now]
    assert said({"rules": [LSE, before]}, {"rules": [LSE, *split]}) == [told]


def test_higher_is_better_the_other_way_round_and_of_a_metric_of_ones_own_it_is_not_known() -> None:
    lips = [{"rules": [LSE, {"metric": "lip_closure", "worst": worst}]} for worst in (0.5, 0.4)]
    assert said(*lips) == ["lip_closure: worst 0.5 became 0.4"]
    assert said(*reversed(lips)) == []
    own = [{"rules": [{"metric": "own", "worst": 1.0, "direction": way}]} for way in ("lower", "higher")]
    assert said(*own) == ["own: direction lower became higher"]


@pytest.mark.parametrize(
    ("before", "now", "what"),
    [
        ({"level": 0.05}, {"level": 0.4}, "level 0.05 became 0.4"),
        ({"isolation": "namespaces"}, {"isolation": "landlock"}, "isolation namespaces became landlock"),
        ({"baseline": "rerun"}, {}, "baseline rerun became stored"),
        ({"arithmetic": "f32"}, {}, "arithmetic f32 became any"),
    ],
)
def test_what_is_weaker_in_the_policy_as_a_whole(before: dict[str, Any], now: dict[str, Any], what: str) -> None:
    assert said(before, now) == [f"policy: {what}"]


def test_a_new_waiver_is_told() -> None:
    waiver = {"metric": "lse_d", "reason": "x", "author": "eve", "expires": datetime.date(2099, 1, 1)}
    assert said({}, {"waivers": [waiver]}) == ["policy: 'lse_d' is waived until 2099-01-01"]
    assert said({"waivers": [waiver]}, {"waivers": [waiver]}) == []
    assert said({"waivers": [waiver]}, {}) == []


def test_names_of_the_repository_are_bounded() -> None:
    waivers = [{"metric": "lse_d", "slice": "s" * 9000, "reason": "x", "author": "e", "expires": "2099-01-01"}]
    waivers[0]["expires"] = datetime.date(2099, 1, 1)  # type: ignore[assignment]
    (found,) = said({}, {"waivers": waivers})
    assert len(found) < 320


@given(st.floats(0, 100), st.floats(0, 100))
def test_exactly_one_way_is_weaker(one: float, other: float) -> None:
    for part in ("max", "margin"):
        assert bool(of_rule({part: one}, {part: other})) == (other > one)
    assert bool(of_rule({"min": one}, {"min": other})) == (other < one)
