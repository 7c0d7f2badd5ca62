"""What "worse" means: the gate's answer, and what is made of it."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.bisect.histories import CASES, side, values

from penstock.bisect.question import Question, question
from penstock.contract.policy import Policy, Rule, Waiver
from penstock.foundation.errors import UsageError
from penstock.gating.gate import gate

HERE = Path()


def asked(
    margin: str = "0.5", metric: str = "lse_d", policy: Policy | None = None, slice_name: str | None = None
) -> Question:
    return question(policy, HERE, metric, slice_name=slice_name, margin=margin)


def policy(*rules: dict[str, object], **more: object) -> Policy:
    return Policy.model_validate({"rules": list(rules), **more})


@pytest.mark.parametrize(
    ("value", "answer"), [(7.0, "not worse"), (7.4, "not worse"), (7.6, "worse"), (6.0, "not worse")]
)
def test_the_gates_own_answer(value: float, answer: str) -> None:
    good, bad, commit = (
        side(name, "lse_d", values(mean)) for name, mean in (("good", 7.0), ("bad", 9.0), ("it", value))
    )
    judged = asked().judge(commit, good, bad)
    assert judged.answer == answer
    ours = gate(
        commit.measurements,
        good.measurements,
        policy({"metric": "lse_d", "margin": 0.5}),
        candidate_name="it",
        baseline_name="good",
        cases=CASES,
    )
    assert judged.against_good == ours.rules[0]


@pytest.mark.parametrize(
    ("mean", "spread", "spread_of_bad", "answer"),
    [(7.5, 2.2, 0.0, "not worse"), (8.95, 30.0, 30.0, "worse"), (8.0, 30.0, 0.0, "skipped")],
    ids=["near-good", "near-bad", "too-noisy"],
)
def test_what_the_good_commit_leaves_open_the_bad_one_may_settle(
    mean: float, spread: float, spread_of_bad: float, answer: str
) -> None:
    good, bad = side("good", "lse_d", values(7.0)), side("bad", "lse_d", values(9.0, spread_of_bad))
    commit = side("it", "lse_d", values(mean, spread))
    judged = asked().judge(commit, good, bad)
    assert judged.against_good is not None
    assert judged.against_good.verdict == "inconclusive"
    assert judged.against_bad is not None
    assert judged.answer == answer
    assert "bad commit" in judged.why


def test_lost_values_are_no_answer_unless_the_bad_commit_lost_some_too() -> None:
    good, bad = side("good", "lse_d", values(7.0)), side("bad", "lse_d", values(9.0))
    broken = side("it", "lse_d", values(7.0, lost=CASES[:2]))
    judged = asked().judge(broken, good, bad)
    assert (judged.answer, judged.against_good) == ("skipped", None)
    assert judged.why == "no value of LSE-D for 2 of 24 cases, first 'case-00': no face"
    assert asked().judge(broken, good, broken).answer == "worse"
    nothing = side("it", "sharpness", values(7.0))
    assert asked().judge(nothing, good, bad).why == "there is no value of LSE-D"


def test_the_rule_of_the_policy_with_its_bounds_and_level_and_no_excuses() -> None:
    whole = policy(
        {"metric": "sharpness", "margin": "10%"},
        {"metric": "lse_d", "max": 8.0, "margin": 0.3, "severity": "warn"},
        {"metric": "lse_d", "slice": "fast", "margin": 0.9},
        level=0.01,
        waivers=[Waiver(metric="lse_d", reason="r", author="a", expires="2999-01-01").model_dump()],
    )
    found = asked("", policy=whole)
    assert found.rule == Rule(metric="lse_d", max=8.0, margin=0.3)
    assert (found.policy.level, found.policy.waivers) == (0.01, [])
    assert asked("", policy=whole, slice_name="fast").rule.slice == "fast"
    assert asked("20%", policy=whole).rule == Rule(metric="lse_d", margin="20%")
    good, bad = side("good", "lse_d", values(7.9)), side("bad", "lse_d", values(8.1))
    assert found.judge(bad, good, bad).answer == "worse"
    assert asked("0.3", policy=whole).judge(bad, good, bad).answer == "not worse"


@pytest.mark.parametrize(
    ("metric", "margin", "slice_name", "message"),
    [
        ("lse_dd", "5%", None, "Did you mean 'lse_d'"),
        ("\x1b[2J", "5%", None, r"no metric '\\x1b\[2J'"),
        ("av_offset", "1", None, "av_offset_abs"),
        ("lse_d", "", None, "no rule for 'lse_d'.*--margin 5%.*--slice fast"),
        ("kid", "", "fast", "no rule for 'kid' in the slice 'fast'"),
        ("lse_d", "much", None, "'much' is not a margin"),
        ("lse_d", "-1", None, "is not a margin"),
        ("lse_d", "nan", None, "is not a margin"),
        ("lse_d", "2 sd", None, "names no calibration"),
    ],
)
def test_what_cannot_be_asked(metric: str, margin: str, slice_name: str | None, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        asked(margin, metric, policy({"metric": "lse_d", "slice": "fast", "margin": 0.9}), slice_name)
