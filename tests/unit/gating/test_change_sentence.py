"""The change since the baseline in one sentence, true to the decision that it tells."""

from __future__ import annotations

import pytest

from penstock.contract.policy import Rule
from penstock.gating.change_sentence import movement
from penstock.gating.decision import decide
from penstock.gating.evidence import weigh
from penstock.gating.wording import subject_of

LEVEL = 0.05


def told(differences: list[float], base: float = 8.0, metric: str = "lse_d", unit: float = 0.4) -> str:
    rule = Rule.model_validate({"metric": metric, "margin": "5%", "max": 99.0})
    subject = subject_of(rule)
    decision = decide(differences, unit, subject.direction or "lower", LEVEL)
    worse = [-x if subject.direction == "higher" else x for x in differences]
    return movement(subject, rule, base, decision, weigh(worse), LEVEL, unit)


@pytest.mark.parametrize(
    ("differences", "words"),
    [
        ([0.0] * 6, ["stayed at 8"]),
        ([1.0, 1.01, 0.99, 1.0, 1.02, 0.98], ["rose from 8 to 9", "+12.5 %", "more than the allowed +5 %"]),
        ([0.1, 0.11, 0.09, 0.1, 0.12, 0.08], ["rose from", "within the allowed +5 %"]),
        ([-0.1, -0.11, -0.09, -0.1, -0.12, -0.08], ["fell from", "which is better"]),
        ([1.5, -0.6, 1.2, -0.5, 0.9, -0.3], ["6 cases leave open", "+5 %"]),
        ([1.0], ["one case cannot tell"]),
    ],
)
def test_sentence_says_what_was_decided(differences: list[float], words: list[str]) -> None:
    sentence = told(differences)
    assert all(word in sentence for word in words), sentence


def test_better_is_up_where_higher_is_better() -> None:
    up = [0.5, 0.51, 0.49, 0.5, 0.52, 0.48]
    assert "which is better" in told(up, metric="lse_c")
    assert "more than the allowed" in told([-x for x in up], metric="lse_c")


def test_no_share_of_nothing() -> None:
    sentence = told([0.1, 0.11, 0.09, 0.1, 0.12, 0.08], base=0.0, unit=0.0)
    assert "of a baseline that is 0" in sentence
    assert "nan" not in sentence
    assert "inf" not in sentence


def test_rule_without_a_margin_tells_the_change_alone() -> None:
    rule = Rule.model_validate({"metric": "lse_d", "max": 99.0})
    decision = decide([1.0, 1.1], 0.0, "lower", LEVEL)
    sentence = movement(subject_of(rule), rule, 8.0, decision, weigh([1.0, 1.1]), LEVEL, 0.0)
    assert "rose" in sentence
    assert "allowed" not in sentence
