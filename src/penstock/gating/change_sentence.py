"""What happened to a metric since the baseline, in a sentence."""

from __future__ import annotations

from penstock.contract.policy import Margin, Rule
from penstock.gating.decision import Decision
from penstock.gating.evidence import Evidence, Single
from penstock.gating.wording import Subject, allowed, numbers, share


def movement(
    subject: Subject, rule: Rule, base: float, decision: Decision, evidence: Evidence, level: float, margin: float
) -> str:
    """What became of the metric: ``rose from 7.91 to 9.26 (+17.1 %), more than the allowed +5 %``.

    Args:
        subject: the metric.
        rule: whose margin is mentioned, if it has one.
        base: the baseline's mean.
        decision: what is said.
        evidence: what it rests on.
        level: of the interval.
        margin: the rule's, in the metric's unit.
    """
    moved, bound = _amounts(subject, rule.margin, base, decision.change, margin)
    if decision.change == 0:
        sentence = f"stayed at {subject.amounts(base)[0]}"
    else:
        before, after = subject.amounts(base, base + decision.change)
        sentence = f"{'rose' if decision.change > 0 else 'fell'} from {before} to {after} ({moved})"
    if rule.margin is None or subject.direction is None:
        return sentence
    if decision.verdict == "inconclusive":
        return f"{sentence}; {_open(subject, rule.margin, base, decision, evidence, level, bound)}"
    if decision.change == 0:
        return sentence
    if (decision.change < 0) == (subject.direction == "lower"):
        return f"{sentence}, which is better"
    zero = " of a baseline that is 0" if rule.margin.relative and base == 0 else ""
    return f"{sentence}, {'within' if decision.verdict == 'pass' else 'more than'} the allowed {bound}{zero}"


def _amounts(subject: Subject, margin: Margin | None, base: float, change: float, amount: float) -> tuple[str, str]:
    """The change and the margin, in the unit in which the margin is written."""
    per_cent = share(change, base)
    if margin is None:
        if per_cent is None:
            return subject.amounts(change, signed=True)[0], ""
        return f"{numbers(per_cent, digits=1, signed=True)[0]} %", ""
    limit = allowed(margin, amount, subject)
    if not margin.relative:
        moved, bound = subject.amounts(change, limit, signed=True)
        return moved, bound
    if per_cent is None:
        return subject.amounts(change, signed=True)[0], f"{limit:+.12g} %"
    moved, bound = numbers(per_cent, limit, digits=1, signed=True)
    return f"{moved} %", f"{bound} %"


def _open(
    subject: Subject, margin: Margin, base: float, decision: Decision, evidence: Evidence, level: float, bound: str
) -> str:
    """Why nothing can be said."""
    if isinstance(evidence, Single):
        one = f"one {subject.over} cannot tell a change from noise"
        return f"{one}, so that it is open whether the allowed {bound} is held"
    many = f"{evidence.cases} {subject.over}{'s' if evidence.cases != 1 else ''}"
    text = f"{many} leave open whether that is within the allowed {bound}"
    if decision.interval is not None:
        low, high = decision.interval
        low_share, high_share = share(low, base), share(high, base)
        if margin.relative and low_share is not None and high_share is not None:
            ends = [f"{end} %" for end in numbers(low_share, high_share, digits=1, signed=True)]
        else:
            ends = subject.amounts(low, high, signed=True)
        text += f": it may be from {ends[0]} to {ends[1]} ({(1 - level) * 100:.6g} % confidence on each side)"
    return text
