"""Rules that the suite cannot give a value for, or only one of too few cases."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.families.face.answers import crowd

from penstock.contract.models import Case, Contract, Suite
from penstock.contract.policy import Policy
from penstock.families.recognition.case import RecognitionCase
from penstock.gating.suite_remarks import suite_remarks

FACE, RECOGNITION = "face", "recognition"


def said(family: str, cases: list[Any], *rules: dict[str, Any]) -> list[str]:
    contract = Contract.model_construct(family=family, policy=Policy.model_validate({"rules": list(rules)}))
    suite = Suite.model_construct(family=family, cases=cases)
    return [f"{found.place}: {found.what}. {found.todo}" for found in suite_remarks(contract, suite)]


def seen_in(number: int, *slices: str) -> Case:
    fields = {"name": f"c{number}", "inputs": {"image": "a.png"}, "labels": ["cat"], "slices": list(slices)}
    return RecognitionCase.model_validate(fields)


def test_a_far_that_too_few_people_claim() -> None:
    cases, _ = crowd(people=12, images=4)
    (text,) = said(FACE, cases, {"metric": "tar_1e-3", "min": 0.9}, {"metric": "eer", "max": 0.1})
    assert text == (
        "rules[0].metric: TAR at FAR 1e-3 has no value: 12 people make 66 impostor pairs of identities; 10 ÷ FAR = "
        "10,000 are needed: this rule always fails. Add such cases, or take the rule out."
    )
    (text,) = said(FACE, cases, {"metric": "tar_1e-1", "slice": "men", "min": 0.9, "severity": "warn"})
    assert "TAR at FAR 1e-1 of the slice 'men' has no value: 6 people make 15 impostor" in text
    assert "this rule always fails (this rule only warns)" in text


def test_a_small_slice() -> None:
    rule = {"metric": "ece", "slice": "dark", "max": 0.1}
    cases = [seen_in(number, "dark") for number in range(19)]
    (text,) = said(RECOGNITION, cases, rule)
    assert text.startswith("rules[0].slice: the slice 'dark' has 19 cases: chance decides a bound on calibration error")
    assert said(RECOGNITION, [*cases, seen_in(20, "dark")], rule) == []
    assert said(RECOGNITION, cases, rule | {"margin": 0.1}) == []  # its margin is looked at elsewhere
    assert said(RECOGNITION, cases, rule | {"severity": "warn"}) == []


def test_ratings_of_one_case() -> None:
    cases = [seen_in(1, "dark"), seen_in(2)]
    rule: dict[str, Any] = {"metric": "preference", "min": 0.35}
    assert said(RECOGNITION, cases, rule) == []
    (text,) = said(RECOGNITION, cases[:1], rule)
    assert text.startswith(
        "rules[0].metric: there is one case that can be rated, and people's ratings of one case alone"
    )
    (text,) = said(RECOGNITION, cases, rule, rule | {"slice": "dark"}, rule | {"slice": "light"})
    assert text.startswith("rules[1].slice: there is one case of the slice 'dark'")
    (text,) = said(RECOGNITION, cases[:1], rule | {"severity": "warn"})
    assert "passes this rule (it only warns). Add cases" in text


def test_a_slice_of_which_nothing_is_measured() -> None:
    cases = [seen_in(number, f"s{number % 40:02}") for number in range(80)]
    rule = {"metric": "ece", "slice": "rare", "max": 0.1}
    (text,) = said(RECOGNITION, [*cases, seen_in(80, "rare")], rule)
    assert text.startswith("rules[0].slice: the slice 'rare' is not among the 40 largest of the suite, of which alone")
    assert said(RECOGNITION, cases, rule) == []  # there is no such slice: the policy's own fault


@pytest.mark.parametrize("rule", [{"metric": "label_f1", "min": 0.5}, {"metric": "load_p95_ms", "max": 5}])
def test_other_metrics_are_left_alone(rule: dict[str, Any]) -> None:
    assert said(RECOGNITION, [seen_in(1)], rule) == []
    assert said(RECOGNITION, [seen_in(1, "dark")], rule | {"slice": "dark"}) == []


def test_people_s_ratings_of_a_slice_are_decided_by_their_interval() -> None:
    rule = {"metric": "preference", "slice": "dark", "min": 0.35}
    assert said(RECOGNITION, [seen_in(number, "dark") for number in range(3)], rule) == []
    many = [seen_in(number, f"s{number % 40:02}") for number in range(80)]
    dark = [seen_in(number, "dark") for number in (80, 81)]
    assert said(RECOGNITION, [*many, *dark], rule) == []  # every slice has them, however many there are
