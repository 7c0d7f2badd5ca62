"""What ``penstock check`` says of margins that a suite cannot settle, and what would settle them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from penstock.contract.check import Report
from penstock.contract.faults import fault_at
from penstock.contract.policy import Policy, PolicyFault, Rule
from penstock.families.registry import find_metric, has_slices, is_timed, is_whole_suite
from penstock.foundation.errors import UsageError
from penstock.gating.evidence import BOOTSTRAP_CASES
from penstock.gating.known import Known
from penstock.gating.suite_remarks import suite_remarks
from penstock.gating.suite_size import MarginCheck, margin_checks
from penstock.gating.wording import Subject, as_written, subject_of

LOOSE = 2
"""How far one baseline's cases lie apart is an upper bound, and often a loose one: if it asks for more than so many
times the cases that there are, it says nothing of how many it takes."""
TO_KNOW_BETTER = "A second run by --baseline, or a --store with past runs, tells more."


def judge_suite(report: Report, directory: Path, known: Known) -> list[MarginCheck]:
    """Add warnings about margins to a report, and say what the suite can settle.

    Args:
        report: of :func:`penstock.contract.check.check_repository`.
        directory: the repository: the policy's ``calibration`` lies in it.
        known: what was measured before; the calibration is added to it.

    Returns:
        One entry for each rule with a margin; none where the contract or the suite cannot be read.

    Raises:
        UsageError: measurements are contradictory, or not through the extractor that the noise was recorded through.
    """
    contract, suite, document = report.contract, report.suite, report.document
    if contract is None or suite is None or document is None:
        return []
    policy = contract.policy
    if policy.calibration is not None:
        from penstock.gating.calibration import calibration_of

        try:
            known = replace(known, calibration=calibration_of(policy, directory))
        except UsageError as error:
            fault = fault_at(document, ("policy", "calibration"), error.what, todo=error.todo)
            if all(other.field != fault.field for other in report.faults):  # that it is not there was said before
                report.faults.append(fault)
    checks = margin_checks(policy, suite, known)
    remarks = (*policy_remarks(policy), *suite_remarks(contract, suite), *size_remarks(policy, checks))
    for remark in remarks:
        place = ("policy", *remark.path)
        report.faults.append(fault_at(document, place, remark.what, todo=remark.todo, warning=remark.warning))
    report.sort()
    return checks


def policy_remarks(policy: Policy) -> Iterator[PolicyFault]:
    """Rules that no model can hold and margins that chance decides, whatever the suite."""
    for place, rule in enumerate(policy.rules):
        if rule.slice is not None and not has_slices(rule.metric):
            yield PolicyFault(
                ("rules", place, "slice"),
                f"{subject_of(rule).title} has one value for the whole suite and none for a slice: this rule always "
                f"fails{_only_warns(rule)}",
                "Leave 'slice' out.",
                warning=True,
            )
        if rule.margin is None:
            continue
        path = ("rules", place, "margin")
        if is_timed(rule.metric) and rule.severity == "block" and policy.baseline == "stored":
            yield PolicyFault(
                path,
                f"'{rule.metric}' is compared with values that were measured on another day: what else runs on the "
                "machine moves it, and may stop a model that did not change",
                "Write 'baseline: rerun' beside 'rules', or give a bound ('max'), or 'severity: warn'.",
                warning=True,
            )
        metric = find_metric(rule.metric)
        if metric is not None and metric.near_zero and rule.margin.relative:
            yield PolicyFault(
                path,
                f"{metric.title} of a good model lies near 0 or below it, and a share of that is next to nothing",
                "Give the margin as a number, such as 0.02.",
                warning=True,
            )


def size_remarks(policy: Policy, checks: Sequence[MarginCheck]) -> Iterator[PolicyFault]:
    """Margins that the suite cannot settle, or may not."""
    for check in checks:
        rule, subject = check.rule, subject_of(check.rule)
        path = ("rules", check.place, "margin" if rule.slice is None else "slice")
        if check.cases == 0:
            continue  # there is no such slice: the policy's own fault
        if rule.slice is not None and check.cases < BOOTSTRAP_CASES and "severity" not in rule.model_fields_set:
            yield PolicyFault(
                path,
                f"the slice '{rule.slice}' has {_cases(check)}: below {BOOTSTRAP_CASES}, its margin only warns",
                "Write 'severity: warn', or 'severity: block' if it is to stop a release all the same.",
                warning=True,
            )
        if check.answer == "settled":
            continue
        what, todo = _few(check, subject, policy) if check.spread is None else _unsettled(check, subject)
        if what:
            yield PolicyFault(path, f"{what}{_only_warns(rule)}", todo, warning=True)


def _only_warns(rule: Rule) -> str:
    return " (this rule only warns)" if rule.severity == "warn" else ""


def _few(check: MarginCheck, subject: Subject, policy: Policy) -> tuple[str, str]:
    """What the number of cases alone says; empty if it says nothing."""
    rule = check.rule
    if rule.slice is not None and not has_slices(rule.metric):
        return "", ""  # it has no value at all, and that is said already
    more = f"Take {check.needed} cases at least; {BOOTSTRAP_CASES} are better."
    if check.cases == 1 and is_whole_suite(rule.metric):
        return f"one clip shows no spread: {subject.title} is compared as if it were exact", more
    if check.cases == 1:
        return f"one case cannot tell a change of {subject.title} from noise: a changed model is inconclusive", more
    if check.answer == "not settled":
        return f"{_cases(check)} cannot settle anything at the level {policy.level:g}", more
    if (instead := _instead(check)) and rule.severity == "block" and check.cases < BOOTSTRAP_CASES:
        what = f"{subject.title} of {_cases(check)} is biased upwards, and a change of it is seldom settled"
        return what, f"{instead} {TO_KNOW_BETTER}"
    return "", ""


def _unsettled(check: MarginCheck, subject: Subject) -> tuple[str, str]:
    """A margin that is too fine for what is known, and what would do."""
    spread = check.spread
    if spread is None or check.margin is None or check.error is None or check.smallest_margin is None:
        return "", ""
    source = {
        "comparisons": f"by {_count(spread.seen, 'earlier comparison')}",
        "noise": f"by {spread.seen} runs of the same model",
        "stopped": f"by {_count(spread.seen, 'comparison')} that this rule stopped",
        "cases": "by how far the baseline's own cases lie apart",
    }[spread.basis]
    most = " at most" if spread.is_bound else ""
    what = (
        f"{_cases(check)} {'may not' if spread.is_bound else 'cannot'} settle a margin of "
        f"{_margin_words(check.rule, check.margin, subject)} on {subject.title}: its change has a standard error of"
        f"{most} {subject.amounts(check.error)[0]}, {source}"
    )
    smallest = _smallest_words(check, subject)
    if check.needed is not None and not (spread.basis == "cases" and check.needed > LOOSE * check.cases):
        cases = f"{'At most about' if spread.is_bound else 'About'} {check.needed} cases"
        todo = f"{cases} would settle it, or a margin of {smallest}."
    elif spread.is_bound:
        todo = "What would settle it cannot be told from that."
    elif spread.shared:
        todo = f"More cases would not: all cases of a run move together. A margin of {smallest} would"
        todo += ", or 'baseline: rerun'." if is_timed(check.rule.metric) else "."
    else:
        todo = f"A margin of {smallest} would settle it."
    if instead := _instead(check):
        todo += f" {instead}"
    return what, f"{todo} {TO_KNOW_BETTER}" if spread.is_bound else todo


def _instead(check: MarginCheck) -> str:
    """What to gate in place of a metric that few cases bias; empty for any other."""
    metric = find_metric(check.rule.metric)
    if metric is None or metric.instead is None:
        return ""
    found = check.instead
    if found is None or not found.smallest_margin:
        return (
            f"Gate '{metric.instead}' instead, which few cases do not bias, and report {metric.title} by "
            "'severity: warn'."
        )
    smallest = rounded_up(found.smallest_margin)
    return f"Or gate '{metric.instead}': these cases settle a margin of {smallest} on it."


def _margin_words(rule: Rule, amount: float, subject: Subject) -> str:
    """``10 % (0.026)``, ``5 sd (0.3 s)``, ``0.2 s``."""
    shown = subject.amounts(amount)[0]
    if rule.margin is None or rule.margin.in_unit:
        return shown
    return f"{as_written(rule.margin)} ({shown})"


def _smallest_words(check: MarginCheck, subject: Subject) -> str:
    """The smallest margin that holds, in the unit that the rule's is written in."""
    smallest = check.smallest_margin or 0.0
    if check.rule.margin is not None and check.rule.margin.relative and check.base:
        return f"{rounded_up(smallest / abs(check.base) * 100)} %"
    return f"{rounded_up(smallest)} {subject.unit}".strip()


def rounded_up(value: float) -> str:
    """Two digits, never less than ``value``: a margin that is written like this holds."""
    step = 10.0 ** (math.floor(math.log10(value)) - 1)
    return (
        f"{math.ceil(value / step - 1e-9) * step:.2g}" if step < 1 else f"{math.ceil(value / step - 1e-9) * step:.0f}"
    )


def _cases(check: MarginCheck) -> str:
    return _count(check.cases, "case")


def _count(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}"
