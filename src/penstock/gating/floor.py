"""The platform's floor: its rules, judged beside the repository's own and out of reach of its policy."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from penstock.bundle.models import WHOLE_SUITE
from penstock.bundle.verdict_record import FloorRecord, RuleResult
from penstock.contract.floor import FloorRule, PolicyFloor, load_floor
from penstock.foundation.files import sha256_file
from penstock.gating.measurements import Table
from penstock.gating.rules import Examined, MarginUnit, examine
from penstock.gating.wording import Sentence

Conclude = Callable[[Sequence[Examined], float], list[RuleResult]]


@dataclass(frozen=True)
class Floor:
    """A floor that was read, and the digest that the verdict names it by."""

    rules: PolicyFloor
    sha256: str

    @property
    def record(self) -> FloorRecord:
        """For ``verdict.json``."""
        return FloorRecord(sha256=self.sha256, level=self.rules.level, min_cases=self.rules.min_cases)


def read_floor(path: Path) -> Floor:
    """The floor in a file; see :func:`penstock.contract.floor.load_floor`."""
    return Floor(load_floor(path), sha256_file(path))


def judge_floor(
    floor: PolicyFloor, ours: Table, theirs: Table | None, in_unit: MarginUnit, conclude: Conclude
) -> list[RuleResult]:
    """The floor's rules against the same values as the policy's.

    No waiver reaches them, and none only warns because its slice is small: the severity is the floor's. A rule that
    looks at too few cases fails, but for one that compares with a release where there is none yet: it is not asked.

    Args:
        floor: the rules.
        ours: the candidate's values.
        theirs: the baseline's; ``None`` for a first release.
        in_unit: a rule's margin in the metric's unit.
        conclude: what was seen of all rules, and the level → their answers.
    """
    examined, least = [], []
    for rule in floor.rules:
        item = examine(rule.model_copy(update={"severity": rule.severity}), ours, theirs, in_unit)
        cases, needed = _cases(item, ours), _least(rule, floor)
        if cases < needed and item.not_compared != "rule":
            many = f"{cases} case{'s' if cases != 1 else ''}"
            what = f"{many}, fewer than the {needed} that the platform's floor asks for"
            item.finding.against.append(Sentence(what))
        examined.append(item)
        least.append(needed)
    return [_of_the_floor(found, needed) for found, needed in zip(conclude(examined, floor.level), least, strict=True)]


def _least(rule: FloorRule, floor: PolicyFloor) -> int:
    return rule.min_cases if rule.min_cases is not None else floor.min_cases


def _cases(item: Examined, ours: Table) -> int:
    """How many cases a rule looked at; a value of the whole suite, or of a slice, looks at all that it was put to, and
    so do people, whose ratings are no cases.
    """
    alone = WHOLE_SUITE in ours.by_metric.get(item.rule.metric, {}) and item.cases <= 1
    if not alone and item.rated is None:
        return item.cases
    cases = set(ours.expected) or set(ours.slices) - {WHOLE_SUITE}
    of = item.rule.slice
    return len(cases if of is None else {case for case in cases if of in ours.slices.get(case, ())})


def _of_the_floor(result: RuleResult, least: int) -> RuleResult:
    whose = "" if result.verdict == "pass" else " (a rule of the platform's floor)"
    limit = f"{result.limit}, at least {least} cases" if least > 1 else result.limit
    told = {"reason": f"{result.reason}{whose}", "predicate": f"{result.predicate}{whose}" if result.predicate else ""}
    return result.model_copy(update={"origin": "floor", "limit": limit, **told})
