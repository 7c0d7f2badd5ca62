"""The platform's floor over a run that asks less than a release does: what of it a pull request is held to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from penstock.bundle.models import Measurement
from penstock.bundle.verdict_record import NotAsked
from penstock.gating.floor import Floor
from penstock.gating.short_suite import asked

WHOSE = "the platform's floor"


@dataclass(frozen=True)
class AskedFloor:
    """The rules of a floor that a run can answer.

    Attributes:
        floor: with these rules alone; ``None``: there is none of them.
        left: the others, and what else of it only a release is held to.
    """

    floor: Floor | None
    left: list[NotAsked]


def floor_on_verify(floor: Floor, measurements: Sequence[Measurement], *, slice_name: str) -> AskedFloor:
    """The floor's rules that this run can answer, as :func:`penstock.gating.short_suite.asked` says.

    Over a slice no least number of cases is asked: that is the suite's, and the release holds it.

    Args:
        floor: the platform's.
        measurements: the run's.
        slice_name: the only cases that were run; empty: the whole suite.
    """
    policy, left = asked(floor.rules.as_policy(), measurements, slice_name=slice_name)
    kept = [rule for rule in floor.rules.rules if any(rule is one for one in policy.rules)]
    said = [one.model_copy(update={"why": f"{WHOSE}: {one.why}"}) for one in left]
    rules = floor.rules
    if slice_name:
        least = {id(rule): rule.min_cases if rule.min_cases is not None else rules.min_cases for rule in kept}
        said += [
            NotAsked(metric=rule.metric, slice=rule.slice, why=f"{WHOSE}: at least {least[id(rule)]} cases")
            for rule in kept
            if least[id(rule)] > 1
        ]
        kept = [rule.model_copy(update={"min_cases": None}) for rule in kept]
        rules = rules.model_copy(update={"min_cases": 1})
    if not kept:
        return AskedFloor(None, said)
    return AskedFloor(replace(floor, rules=rules.model_copy(update={"rules": kept})), said)
