"""What people write into a policy: margins, waivers, and what is wrong with them."""

from __future__ import annotations

import pytest
from tests.unit.gating.dated_verdicts import TODAY, verdict
from tests.unit.gating.gate_verdicts import judged, lines

from penstock.contract import policy as policies
from penstock.contract.policy import Margin, Policy, policy_faults
from penstock.foundation.errors import UsageError


def test_the_worst_of_a_metric_without_a_direction_is_bad_usage() -> None:
    with pytest.raises(UsageError, match="no case is the worst"):
        judged("av_offset", {"a": 1.0}, None, worst=2.0)
    with pytest.raises(UsageError, match="say 'direction: lower'"):
        judged("our_own", {"a": 1.0}, None, worst=2.0)


@pytest.mark.parametrize(
    "waiver",
    [
        {"metric": "lse_d", "author": "ada", "expires": "2026-12-31"},
        {"metric": "lse_d", "reason": "", "author": "ada", "expires": "2026-12-31"},
        {"metric": "lse_d", "reason": "new voices", "author": "ada"},
        {"metric": "lse_d", "reason": "new voices", "author": "ada", "expires": "soon"},
    ],
)
def test_a_waiver_has_a_reason_an_author_and_an_end(waiver: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="waivers"):
        Policy.model_validate({"rules": [{"metric": "lse_d", "max": 9.0}], "waivers": [waiver]})


def test_faults_of_waivers_and_of_noise_without_a_record() -> None:
    policy = Policy.model_validate(
        {
            "rules": [{"metric": "lse_d", "margin": "2 sd"}],
            "waivers": [
                {"metric": "lse_d", "reason": "x", "author": "ada", "expires": "2026-05-03"},
                {"metric": "fid", "slice": "hair", "reason": "x", "author": "ada", "expires": "2026-12-31"},
            ],
        }
    )
    noise, over, other = policy_faults(policy, known={"lse_d": "lower"}, today=TODAY)
    assert (noise.place, noise.warning) == ("rules[0].margin", False)
    assert "expired on 2026-05-03" in over.what
    assert (over.place, over.warning) == ("waivers[0].expires", True)
    assert (other.place, other.what) == (
        "waivers[1].metric",
        "there is no rule for 'fid' for the slice 'hair' to waive",
    )
    with pytest.raises(UsageError, match="names no record"):
        verdict(lines("lse_d", {"a": 7.0}), None, rules=[{"metric": "lse_d", "margin": "2 sd"}])


def test_no_margin_is_held_on_what_compares_with_the_released_model(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(policies, "needs_released", lambda name: name == "lse_d")
    rules = [{"metric": "lse_d", "max": 8}, {"metric": "lse_d", "margin": 0.1}, {"metric": "lse_c", "margin": 0.1}]
    (fault,) = policy_faults(Policy.model_validate({"rules": rules}), known={"lse_d": "lower", "lse_c": "higher"})
    assert (fault.place, fault.warning, fault.todo) == ("rules[1].margin", False, "Use min or max.")
    assert "compares with the released model already" in fault.what


def test_margins_as_people_write_them() -> None:
    def margin(text: object) -> Margin | None:
        return Policy.model_validate({"rules": [{"metric": "lse_d", "margin": text}]}).rules[0].margin

    assert margin("2 sd") == Margin(amount=2, noise=True)
    assert margin("5%") == Margin(amount=0.05, relative=True)
    assert margin("1 floor") == margin("1floors") == Margin(amount=1, floor=True)
    assert margin(0.2) == Margin(amount=0.2)
    for text in ("2 SD", "sd", "-1 sd", "5% sd", "1 flor", "floor"):
        with pytest.raises(ValueError, match="margin"):
            margin(text)
    for two in (("relative", "noise"), ("noise", "floor")):
        with pytest.raises(ValueError, match="one of them"):
            margin({"amount": 1} | dict.fromkeys(two, True))
