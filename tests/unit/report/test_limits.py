"""A rule's limits, for what is drawn."""

from __future__ import annotations

import pytest

from penstock.bundle.models import Measurement, Verdict
from penstock.contract.policy import Policy
from penstock.gating.gate import gate
from penstock.report.limits import Limits, limits_of

NAMES = [f"case-{n:02}" for n in range(24)]


def values(metric: str, numbers: list[float], slices: tuple[str, ...] = ()) -> list[Measurement]:
    return [
        Measurement(case=case, metric=metric, value=value, slices=list(slices))
        for case, value in zip(NAMES, numbers, strict=False)
    ]


def judged(rules: list[dict[str, object]], before: list[Measurement], after: list[Measurement]) -> Verdict:
    policy = Policy.model_validate({"rules": rules})
    return gate(after, before, policy, candidate_name="new", baseline_name="old")


BEFORE = [7.0 + 0.01 * n for n in range(24)]


@pytest.mark.parametrize(
    ("rule", "limits"),
    [
        ({"metric": "lse_d", "max": 9.0, "margin": "5%"}, Limits(None, 9.0, 0.05 * 7.115, "lower")),
        ({"metric": "lse_d", "margin": 0.25, "worst": 12}, Limits(None, None, 0.25, "lower")),
        ({"metric": "lse_c", "min": 1.5, "max": 20, "margin": 1e-7}, Limits(1.5, 20.0, 1e-7, "higher")),
        ({"metric": "latency", "max": 2, "margin": 0.5}, Limits(None, 2.0, 0.5, "lower")),
        ({"metric": "own", "direction": "higher", "margin": "2.5 %"}, Limits(None, None, 0.025 * 7.115, "higher")),
        ({"metric": "own", "direction": "lower", "margin": 0}, Limits(None, None, 0.0, "lower")),
        ({"metric": "av_offset", "min": -1, "max": 1}, Limits(-1.0, 1.0, None, None)),
    ],
)
def test_limits_are_read_back_from_the_gate_s_own_words(rule: dict[str, object], limits: Limits) -> None:
    metric = str(rule["metric"])
    verdict = judged([rule], values(metric, BEFORE), values(metric, [value + 0.01 for value in BEFORE]))
    found = limits_of(verdict.rules[0])
    assert (found.minimum, found.maximum, found.better) == (limits.minimum, limits.maximum, limits.better)
    assert found.margin == (pytest.approx(limits.margin) if limits.margin is not None else None)
