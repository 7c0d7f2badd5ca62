"""Suites of so many cases, sides that differ by so much, and what is said of a margin on them."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

from penstock.bundle.models import Measurement, Resamples
from penstock.contract.models import Suite
from penstock.contract.policy import Policy
from penstock.gating.known import Known
from penstock.gating.measurements import Table
from penstock.gating.suite_size import MarginCheck, margin_checks
from penstock.gating.suite_words import policy_remarks, size_remarks


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


def pair(metric: str, differences: Sequence[float], base: float = 10.0, slice_name: str = "") -> tuple[Table, Table]:
    """A baseline whose cases are alike, and a candidate."""
    before = [base] * len(differences)
    after = [base + difference for difference in differences]
    return table(metric, before, slice_name), table(metric, after, slice_name)


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


def fid_pair(deviation: float, kid: float) -> tuple[Table, Table]:
    """FID and KID on 8 clips: the resamples differ by so much."""
    draws = noisy(400, 1.0, seed=3)
    base = [30 + 10 * value for value in noisy(400, 1.0, seed=4)]
    sides: list[list[Measurement]] = [[], []]
    for metric, scale in (("fid", deviation), ("kid", kid)):
        sides[0].append(whole(metric, 0.255, base, 8))
        sides[1].append(whole(metric, 0.241, [a + scale * b for a, b in zip(base, draws, strict=True)], 8))
    return Table("baseline", sides[0]), Table("candidate", sides[1])
