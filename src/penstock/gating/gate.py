"""All rules to one verdict."""

from __future__ import annotations

import datetime
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

from penstock.bundle.models import Measurement
from penstock.bundle.verdict_record import Outcome, RuleResult, Verdict, WaiverRecord
from penstock.contract.policy import Policy, Rule, Waiver, policy_faults
from penstock.families.registry import directions
from penstock.foundation.errors import UsageError
from penstock.gating.calibration import Calibration
from penstock.gating.floor import Floor, judge_floor
from penstock.gating.holm import outcomes
from penstock.gating.measurements import Table, computed_in, extractor_of
from penstock.gating.rules import Examined, conclude, examine
from penstock.gating.wording import tally


def gate(
    candidate: Sequence[Measurement],
    baseline: Sequence[Measurement] | None,
    policy: Policy,
    *,
    candidate_name: str,
    baseline_name: str | None,
    cases: Sequence[str] = (),
    calibration: Calibration | None = None,
    floor: Floor | None = None,
    today: datetime.date | None = None,
) -> Verdict:
    """Judge the candidate by the policy, and compare it with the baseline.

    Args:
        candidate: its measurements, in any order.
        baseline: those of the released model; ``None`` for a first release: margins then have nothing to compare with,
            and the verdict records that there was no baseline.
        policy: the rules.
        candidate_name: the run's id or path, for the record.
        baseline_name: the same of the baseline; ``None`` if there is none.
        cases: cases that were put to the candidate: each must have a value of every metric that is measured by case.
        calibration: the policy's record of the noise; needed by margins that count it.
        floor: the platform's rules, judged as well.
        today: the day on which waivers must still hold; by default today in UTC.

    Returns:
        ``fail`` if a rule that blocks fails, else ``inconclusive`` if one is, else ``pass``. A rule that is waived
        blocks nothing; its own answer stays what it is.

    Raises:
        UsageError: the policy cannot be applied, or the measurements cannot be compared (two values for one case,
            different extractors), or were not computed in the policy's arithmetic.
    """
    hold_policy(policy, "policy")
    if floor is not None:
        hold_policy(floor.rules.as_policy(), "policy floor")
    ours = Table("candidate", candidate, cases)
    theirs = Table("baseline", baseline) if baseline is not None else None
    if policy.arithmetic is not None:
        computed_in(policy.arithmetic, {rule.metric for rule in policy.rules}, ours)

    def in_unit(rule: Rule, base: float) -> float:
        return margin_in_unit(rule, base, calibration, [ours, theirs] if theirs is not None else [ours])

    day = today or datetime.datetime.now(datetime.UTC).date()
    examined = [
        replace(warned(examine(rule, ours, theirs, in_unit), calibration), waiver=waiver_of(rule, policy.waivers, day))
        for rule in policy.rules
    ]
    results = conclusions(examined, policy.level)
    if floor is not None:
        results += judge_floor(floor.rules, ours, theirs, in_unit, conclusions)
    results = [
        result.model_copy(
            update={
                "extractor": extractor_of(result.metric, ours),
                "reference_floor": ours.floor(result.metric, result.slice),
            }
        )
        for result in results
    ]
    return Verdict(
        verdict=overall(results),
        baseline=baseline_name if baseline is not None else None,
        candidate=candidate_name,
        level=policy.level,
        comparison=policy.baseline,
        rules=results,
        floor=floor.record if floor is not None else None,
    )


def hold_policy(policy: Policy, name: str) -> None:
    """Check that rules can be applied.

    Raises:
        UsageError: the first that cannot; ``where`` begins with ``name``.
    """
    known = directions()
    for fault in policy_faults(policy, known=known):
        if not fault.warning:
            raise UsageError(fault.what, where=f"{name}.{fault.place}", todo=fault.todo)


def conclusions(examined: Sequence[Examined], level: float) -> list[RuleResult]:
    """Each rule's answer; those about slices of the same metric are judged together (Holm)."""
    families: dict[str, list[int]] = defaultdict(list)
    for index, item in enumerate(examined):
        if item.tested and item.rule.slice is not None:
            families[item.rule.metric].append(index)
    together: dict[int, tuple[Outcome, float, int]] = {}
    for family in families.values():
        found = [examined[index].p_values() for index in family]
        not_worse, worse = [one for one, _ in found], [other for _, other in found]
        for index, (outcome, own) in zip(family, outcomes(not_worse, worse, level), strict=True):
            together[index] = (outcome, own, len(family))
    results = []
    for index, item in enumerate(examined):
        if index in together:
            outcome, own, slices = together[index]
            results.append(conclude(item, own, outcome, slices))
        else:
            results.append(conclude(item, level, None))
    return results


def margin_in_unit(rule: Rule, base: float, calibration: Calibration | None, tables: Sequence[Table]) -> float:
    """A rule's margin in the metric's unit; 0 if it has none.

    Args:
        rule: the rule.
        base: the baseline's mean.
        calibration: the record of the noise, for a margin that counts it.
        tables: the candidate, then the baseline: the noise must have been recorded through the same extractor, and the
            first that knows the floor says it.

    Raises:
        UsageError: the margin counts a noise that was not recorded, or not through the same extractor; or a floor, and
            no case has several references.
    """
    margin = rule.margin
    if margin is None:
        return 0.0
    if margin.relative:
        return margin.amount * abs(base)
    if margin.in_unit:
        return margin.amount
    if margin.floor:
        return margin.amount * _floor(rule, tables)
    if calibration is None:
        raise UsageError(
            f"the margin of '{rule.metric}' counts standard deviations of the noise, and no noise was recorded",
            where="policy.calibration",
            todo="Record it with penstock calibrate, and name the file in 'calibration'.",
        )
    extractors = {name for table in tables for name in table.extractors(rule.metric)}
    return calibration.margin(rule.metric, rule.slice, margin.amount, extractors)


def _floor(rule: Rule, tables: Sequence[Table]) -> float:
    """How far apart the references of the cases are: of the side that comes first and says it."""
    floors = (table.floor(rule.metric, rule.slice) for table in tables)
    if (found := next((floor for floor in floors if floor is not None), None)) is not None:
        return found
    where = f" with the slice '{rule.slice}'" if rule.slice is not None else ""
    raise UsageError(
        f"the margin of '{rule.metric}' counts its floor, and no case{where} has several references",
        where="policy.rules",
        todo="Give the cases several references each, or write the margin as a number or a share.",
    )


def warned(examined: Examined, calibration: Calibration | None) -> Examined:
    """With a note where the margin is finer than the recorded noise allows."""
    comparison, rule = examined.comparison, examined.rule
    if calibration is None or comparison is None or rule.margin is None:
        return examined
    note = calibration.too_fine(rule.metric, rule.slice, comparison.margin)
    return examined if note is None else replace(examined, comparison=replace(comparison, note=note))


def waiver_of(rule: Rule, waivers: Sequence[Waiver], today: datetime.date) -> WaiverRecord | None:
    """The waiver of a rule: one that holds, else the one that expired last."""
    mine = [waiver for waiver in waivers if (waiver.metric, waiver.slice) == (rule.metric, rule.slice)]
    if not mine:
        return None
    last = max(mine, key=lambda waiver: waiver.expires)
    return WaiverRecord(
        reason=last.reason, author=last.author, expires=last.expires.isoformat(), expired=last.expires < today
    )


def overall(results: Sequence[RuleResult]) -> Outcome:
    """The verdict over all rules; those that only warn, or are waived, have no say."""
    outcomes = {result.verdict for result in results if result.blocks}
    return "fail" if "fail" in outcomes else "inconclusive" if "inconclusive" in outcomes else "pass"


def headline(verdict: Verdict) -> str:
    """The verdict in one line: the reason of the first rule that decided it, and how many more there are."""
    deciding = [rule for rule in verdict.rules if rule.blocks and rule.verdict == verdict.verdict]
    if verdict.verdict == "pass":
        against = " against the baseline" if verdict.baseline is not None else " (first release)"
        return f"pass{against}: {tally(verdict.rules)}"
    more = f" (and {len(deciding) - 1} more)" if len(deciding) > 1 else ""
    return f"{verdict.verdict}: {deciding[0].reason}{more}"
