"""One rule against the values: its verdict, and the reason in a sentence."""

from __future__ import annotations

from dataclasses import dataclass

from penstock.bundle.models import Outcome, RuleResult
from penstock.contract.policy import Margin, Rule
from penstock.gating.decision import ROUNDING, Decision, decide, mean
from penstock.gating.measurements import Table, Values, same_extractor
from penstock.gating.wording import Subject, allowed, limit_text, named, numbers, share, subject_of


@dataclass
class Finding:
    """Sentences for and against, while a rule is judged."""

    against: list[str]
    undecided: list[str]
    notes: list[str]

    @property
    def verdict(self) -> Outcome:
        """One sentence against it is enough."""
        return "fail" if self.against else "inconclusive" if self.undecided else "pass"

    @property
    def reason(self) -> str:
        """The sentences that decided, else all."""
        return "; ".join(self.against or self.undecided or self.notes)


def judge(rule: Rule, candidate: Table, baseline: Table | None, level: float) -> RuleResult:
    """Judge one rule.

    Absolute bounds hold the mean of the cases; the margin holds the mean of the differences, paired by case. A case
    without a value, a case that one side lacks, and a metric without any value fail the rule.

    Raises:
        UsageError: the values were measured through different extractors.
    """
    same_extractor(rule.metric, [candidate] if baseline is None else [candidate, baseline])
    subject = subject_of(rule)
    finding = Finding([], [], [])
    ours = candidate.values(rule.metric, rule.slice)
    theirs = baseline.values(rule.metric, rule.slice) if baseline is not None else None
    _complete(rule, subject, ours, theirs, finding)
    ours_mean = None
    theirs_mean = (
        mean(list(theirs.by_case.values())) if theirs is not None and theirs.by_case and not theirs.lost else None
    )
    decision: Decision | None = None
    if not finding.against:
        ours_mean = mean(list(ours.by_case.values()))
        _bounds(rule, subject, ours_mean, finding)
        if theirs is None:
            finding.notes += (
                ["there was no baseline to compare with (first release)"] if rule.margin is not None else []
            )
        elif (unpaired := _unpaired(subject, ours, theirs)) is None:
            decision = _change(rule, subject, ours, theirs, level, finding)
        elif rule.margin is not None:
            finding.against.append(unpaired)
        else:
            finding.notes.append(f"not compared: {unpaired}")
    return RuleResult(
        metric=rule.metric,
        slice=rule.slice,
        verdict=finding.verdict,
        reason=finding.reason,
        severity=rule.severity,
        baseline=theirs_mean,
        candidate=ours_mean,
        change=decision.change if decision is not None else None,
        interval=decision.interval if decision is not None else None,
        limit=limit_text(rule, subject),
        n=len(ours.cases),
    )


def _complete(rule: Rule, subject: Subject, ours: Values, theirs: Values | None, finding: Finding) -> None:
    """Nothing that should be there is missing from the candidate."""
    if not ours.cases:
        where = f" in the slice '{rule.slice}'" if rule.slice is not None else ""
        finding.against.append(f"missing: the candidate has no value of {subject.title}{where}")
        return
    if ours.lost:
        count = f"{len(ours.lost)} of {len(ours.cases)} case{'s' if len(ours.cases) > 1 else ''}"
        finding.against.append(f"no value of {subject.title} for {count}: {named(ours.lost)}")
    if theirs is not None and (gone := theirs.cases - ours.cases):
        cases = named(dict.fromkeys(gone, ""))
        finding.against.append(f"missing: the candidate has no value of {subject.title} for {cases}, the baseline has")


def _bounds(rule: Rule, subject: Subject, value: float, finding: Finding) -> None:
    """The absolute bounds. The allowance for rounding depends on the bound alone."""
    if rule.max is not None and value > rule.max + abs(rule.max) * ROUNDING:
        ours, bound = subject.amounts(value, rule.max)
        finding.against.append(f"{subject.title} is {ours}, above the maximum of {bound}")
    elif rule.min is not None and value < rule.min - abs(rule.min) * ROUNDING:
        ours, bound = subject.amounts(value, rule.min)
        finding.against.append(f"{subject.title} is {ours}, below the minimum of {bound}")
    elif rule.min is not None or rule.max is not None:
        bounds = [(sign, bound) for sign, bound in (("≥", rule.min), ("≤", rule.max)) if bound is not None]
        ours, *texts = subject.amounts(value, *(bound for _, bound in bounds))
        words = " and ".join(f"{sign} {text}" for (sign, _), text in zip(bounds, texts, strict=True))
        finding.notes.append(f"{subject.title} is {ours}, as it must be {words}")


def _unpaired(subject: Subject, ours: Values, theirs: Values) -> str | None:
    """Why the two sides cannot be paired by case; ``None`` if they can."""
    if not theirs.cases:
        return f"the baseline has no value of {subject.title}; measure it again with this policy"
    if new := ours.cases - theirs.cases:
        cases = named(dict.fromkeys(new, ""))
        return f"the baseline has no value of {subject.title} for {cases}; measure it again with this suite"
    if theirs.lost:
        return f"the baseline has no value of {subject.title} for {named(theirs.lost)}"
    return None


def _change(rule: Rule, subject: Subject, ours: Values, theirs: Values, level: float, finding: Finding) -> Decision:
    """The change against the baseline. Both sides have the same cases."""
    cases = sorted(ours.by_case)
    differences = [ours.by_case[case] - theirs.by_case[case] for case in cases]
    base = mean([theirs.by_case[case] for case in cases])
    if rule.margin is None or subject.direction is None:
        decision = Decision("pass", mean(differences), None)
        finding.notes.append(_movement(subject, base, decision, None))
        return decision
    margin = rule.margin.amount * abs(base) if rule.margin.relative else rule.margin.amount
    rounding = ROUNDING * max(margin, *(abs(theirs.by_case[case]) for case in cases))
    decision = decide(differences, margin, subject.direction, level, rounding=rounding)
    sentence = _movement(subject, base, decision, rule.margin)
    if decision.verdict == "fail":
        finding.against.append(sentence)
    elif decision.verdict == "inconclusive":
        finding.undecided.append(sentence)
    else:
        finding.notes.append(sentence)
    return decision


def _movement(subject: Subject, base: float, decision: Decision, margin: Margin | None) -> str:
    """``LSE-D rose from 7.91 to 9.26 (+17.1 %), more than the allowed +5 %``."""
    change = decision.change
    if change == 0:
        return f"{subject.title} stayed at {subject.amounts(base)[0]}"
    before, after = subject.amounts(base, base + change)
    limit = allowed(margin, subject) if margin is not None else None
    per_cent = share(change, base)
    if margin is not None and limit is not None and not margin.relative:
        moved, bound = subject.amounts(change, limit, signed=True)
    elif per_cent is None:
        (moved,) = subject.amounts(change, signed=True)
        bound = "" if limit is None else f"{limit:+.12g} %"
    else:
        shown = numbers(per_cent, *([] if limit is None else [limit]), digits=1, signed=True)
        moved, bound = f"{shown[0]} %", f"{shown[-1]} %"
    sentence = f"{subject.title} {'rose' if change > 0 else 'fell'} from {before} to {after} ({moved})"
    if margin is None:
        return sentence
    if (change < 0) == (subject.direction == "lower"):
        return f"{sentence}, which is better"
    zero = " of a baseline that is 0" if margin.relative and base == 0 else ""
    words = {"pass": "within", "fail": "more than", "inconclusive": "perhaps more than"}
    return f"{sentence}, {words[decision.verdict]} the allowed {bound}{zero}"
