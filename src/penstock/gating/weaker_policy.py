"""What a commit's policy asks less than the current release's did: a pull request must not loosen it unseen.

It is said, not judged: to loosen a rule may be right, and people decide that by the commit. What no repository may
loosen is the platform's floor.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from penstock.bundle.verdict_record import Weakened
from penstock.contract.policy import LEVELS, Margin, Policy, Rule
from penstock.families.engine_metrics import base_metric
from penstock.gating.wording import as_written

MAX_CHARACTERS = 300
"""Of one entry: names of slices and metrics are the repository's own."""
_WORSE = {"lower": 1.0, "higher": -1.0}


def weakened(before: Policy, now: Policy, *, known: Mapping[str, str | None]) -> list[Weakened]:
    """Where a policy asks less than another, rule by rule, in the order of the other.

    A bound, margin or severity holds on if any rule for the same metric and slice has one that is as strict; a
    confidence and a number of ratings, if the rule with that bound has it. What cannot be ranked (a margin in another
    unit, another direction, another level) counts as well: people decide.

    Args:
        before: the current release's.
        now: the commit's.
        known: name of each known metric → which way is better.
    """
    found = [
        Weakened(metric=rule.metric, slice=rule.slice, what=what[:MAX_CHARACTERS])
        for rule in before.rules
        for what in _of_rule(rule, [one for one in now.rules if _key(one) == _key(rule)], known)
    ]
    return found + [Weakened(what=what[:MAX_CHARACTERS]) for what in _of_policy(before, now)]


def _key(rule: Rule) -> tuple[str, str | None]:
    return rule.metric, rule.slice


def _of_rule(rule: Rule, others: Sequence[Rule], known: Mapping[str, str | None]) -> Iterator[str]:
    if not others:
        yield "there is no such rule any more"
        return
    same = [one for one in others if _blocks_as(one, rule)]
    if not same:
        only_small = others[0].severity == rule.severity
        yield "only warns over few cases ('severity: block' is gone)" if only_small else "only warns"
        same = list(others)
    if rule.direction is not None and all(one.direction != rule.direction for one in same):
        yield f"direction {rule.direction} became {same[0].direction or 'none'}"
    sign = _WORSE.get(rule.direction or known.get(base_metric(rule.metric)) or "")
    worst = [one.worst for one in same]
    held_max = [one for one in same if rule.max is not None and one.max is not None and one.max <= rule.max]
    if rule.max is not None and not held_max:
        yield _became("max", rule.max, same[0].max)
    held_min = [one for one in same if rule.min is not None and one.min is not None and one.min >= rule.min]
    if rule.min is not None and not held_min:
        yield _became("min", rule.min, same[0].min)
    if rule.worst is not None and not any(_as_strict(bound, rule.worst, sign) for bound in worst):
        yield _became("worst", rule.worst, worst[0])
    of_max, of_min = held_max or same, held_min or same
    if rule.confidence is not None and not any((one.confidence or 0.0) >= rule.confidence for one in of_max):
        yield _became("confidence", rule.confidence, of_max[0].confidence)
    if rule.margin is not None and not any(_within(one.margin, rule.margin) for one in same):
        now = same[0].margin
        yield f"margin {_text(rule.margin)} {f'became {_text(now)}' if now is not None else 'is gone'}"
    wanted = rule.ratings_wanted
    if wanted is not None and not any((one.ratings_wanted or 0) >= wanted for one in of_min):
        yield _became("ratings", wanted, of_min[0].ratings_wanted)


def _blocks_as(one: Rule, rule: Rule) -> bool:
    """Whether a rule stops a release wherever the other does."""
    if rule.severity == "warn":
        return True
    lenient = one.slice is not None and "severity" not in one.model_fields_set
    return one.severity == "block" and not (lenient and "severity" in rule.model_fields_set)


def _as_strict(bound: float | None, before: float, sign: float | None) -> bool:
    if bound is None or sign is None:
        return bound == before
    return sign * bound <= sign * before


def _within(now: Margin | None, before: Margin) -> bool:
    if now is None or _unit(now) != _unit(before):
        return False
    return now.amount <= before.amount


def _unit(margin: Margin) -> tuple[bool, bool, bool]:
    return margin.relative, margin.noise, margin.floor


def _text(margin: Margin) -> str:
    return f"{margin.amount:.12g}" if margin.in_unit else as_written(margin)


def _became(what: str, before: float, now: float | None) -> str:
    return f"{what} {before:.12g} {f'became {now:.12g}' if now is not None else 'is gone'}"


def _of_policy(before: Policy, now: Policy) -> Iterator[str]:
    if now.level != before.level:
        yield f"level {before.level:.12g} became {now.level:.12g}"
    if LEVELS.index(now.isolation) < LEVELS.index(before.isolation):
        yield f"isolation {before.isolation} became {now.isolation}"
    if before.baseline == "rerun" and now.baseline != "rerun":
        yield f"baseline {before.baseline} became {now.baseline}"
    if before.arithmetic is not None and now.arithmetic != before.arithmetic:
        yield f"arithmetic {before.arithmetic} became {now.arithmetic or 'any'}"
    if now.calibration != before.calibration and any(rule.margin and rule.margin.noise for rule in now.rules):
        yield "its margins in sd count another record of the noise"
    known = {(waiver.metric, waiver.slice, waiver.expires) for waiver in before.waivers}
    for waiver in now.waivers:
        if (waiver.metric, waiver.slice, waiver.expires) not in known:
            of = f" ({waiver.slice})" if waiver.slice is not None else ""
            yield f"'{waiver.metric}'{of} is waived until {waiver.expires.isoformat()}"
