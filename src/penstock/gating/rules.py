"""One rule against the values: its verdict, and the reason in a sentence."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from penstock.bundle.models import WHOLE_SUITE
from penstock.bundle.verdict_record import NotCompared, Outcome, RuleResult, WaiverRecord
from penstock.contract.policy import Rule
from penstock.families.engine_metrics import PREFERENCE_METRIC
from penstock.families.registry import needs_released
from penstock.gating.change_sentence import movement
from penstock.gating.decision import ROUNDING, Decision, mean, settle
from penstock.gating.evidence import BOOTSTRAP_CASES, Evidence, Exact, weigh, weigh_resamples
from penstock.gating.finding import Finding
from penstock.gating.measurements import Table, Values, same_extractor
from penstock.gating.preference_rule import EQUAL, Rated, rated_in
from penstock.gating.upper_bound import upper_bound
from penstock.gating.wording import Sentence, Subject, limit_text, named, needed_words, subject_of

MarginUnit = Callable[[Rule, float], float]
"""A rule and the baseline's mean → its margin in the metric's unit."""
NO_BASELINE = "there is no baseline (first release)"
_NOT_COMPARED: dict[NotCompared, str] = {"margin": "margin not compared", "rule": "not compared"}


@dataclass(frozen=True)
class PairedChange:
    """The change against the baseline, not yet judged at a level."""

    base: float
    """The baseline's mean."""
    evidence: Evidence
    margin: float
    """In the metric's unit."""
    rounding: float
    note: str = ""
    """What a reader should know of the interval."""

    def decision(self, rule: Rule, subject: Subject, level: float) -> Decision:
        """What it says at a level; without a margin or a direction, the change alone."""
        direction = subject.direction or "lower"
        decision = settle(self.evidence, self.margin, direction, level, rounding=self.rounding)
        if rule.margin is None or subject.direction is None:
            return replace(decision, verdict="pass", needed=None)
        return decision


@dataclass(frozen=True)
class Examined:
    """A rule's findings before the statistical test."""

    rule: Rule
    subject: Subject
    finding: Finding
    cases: int
    candidate: float | None = None
    baseline: float | None = None
    comparison: PairedChange | None = None
    not_compared: NotCompared | None = None
    waiver: WaiverRecord | None = None
    rated: Rated | None = None
    """Of a rule about people's ratings."""

    @property
    def tested(self) -> bool:
        """Whether its margin, or the minimum of a share of ratings, is compared with an interval."""
        if self.rated is not None:
            return self.rule.min is not None
        return self.comparison is not None and self.rule.margin is not None and self.subject.direction is not None

    def p_values(self) -> tuple[float, float]:
        """Of "it is not worse than its margin allows" and of "it is"; 1 where nothing is known of its error."""
        evidence = self.rated.evidence() if self.rated is not None else None
        if evidence is not None and self.rule.min is not None:
            margin = EQUAL - self.rule.min
            return evidence.not_worse_than(margin, ROUNDING), evidence.worse_than(margin, ROUNDING)
        if (held := self.comparison) is not None:
            return (
                held.evidence.not_worse_than(held.margin, held.rounding),
                held.evidence.worse_than(held.margin, held.rounding),
            )
        return 1.0, 1.0


def examine(rule: Rule, candidate: Table, baseline: Table | None, margin_in_unit: MarginUnit) -> Examined:
    """Look at the values of one rule.

    Absolute bounds hold the mean of the cases, ``worst`` each single one; the margin holds the mean of the differences,
    paired by case. A case without a value, a case that one side lacks, and a metric without any value fail the rule;
    a case to which the metric does not apply is none of its cases. A metric that compares with the released model's
    answers is held to its bounds alone.

    Raises:
        UsageError: the values were measured through different extractors; the margin's unit is not known.
    """
    same_extractor(rule.metric, [candidate] if baseline is None else [candidate, baseline])
    subject = subject_of(rule)
    finding = Finding([], [], [])
    missing = _not_compared(rule) if baseline is None else None
    if baseline is None and needs_released(rule.metric):
        finding.notes.append(Sentence(f"{_NOT_COMPARED['rule']}: {NO_BASELINE}"))
        return Examined(rule, subject, finding, 0, not_compared="rule")
    if rule.metric == PREFERENCE_METRIC.name:
        rated = rated_in(candidate, rule.slice)
        return Examined(rule, subject, finding, rated.count.counted, rated.share, rated=rated)
    ours = candidate.values(rule.metric, rule.slice)
    theirs = baseline.values(rule.metric, rule.slice) if baseline is not None else None
    _complete(rule, subject, ours, theirs, finding)
    if needs_released(rule.metric):
        theirs = None  # its values compare with the baseline already: the baseline's own are of the release before it
    theirs_mean = None
    if theirs is not None and theirs.by_case and not theirs.lost.keys() - ours.inapplicable.keys():
        theirs_mean = mean(list(theirs.by_case.values()))
    if finding.against:
        return Examined(rule, subject, finding, len(ours.cases), baseline=theirs_mean, not_compared=missing)
    ours_mean = mean(list(ours.by_case.values()))
    _bounds(rule, subject, ours_mean, ours, finding)
    _worst(rule, subject, ours, finding)
    comparison: PairedChange | None = None
    if theirs is None:
        finding.notes += [Sentence(f"{_NOT_COMPARED[missing]}: {NO_BASELINE}")] if missing is not None else []
    elif (unpaired := _unpaired(rule, subject, ours, theirs)) is None:
        comparison = paired_change(rule, subject, ours, theirs, margin_in_unit)
    elif rule.margin is not None:
        finding.against.append(Sentence(unpaired))
    else:
        finding.notes.append(Sentence(f"not compared: {unpaired}"))
    cases = ours.resamples.cases if ours.resamples is not None else len(ours.cases)
    return Examined(rule, subject, finding, cases, ours_mean, theirs_mean, comparison, missing)


def _not_compared(rule: Rule) -> NotCompared | None:
    """What of a rule stays open where there is no baseline."""
    if rule.margin is None:
        return None
    return "rule" if rule.min is rule.max is rule.worst is None else "margin"


def conclude(examined: Examined, level: float, outcome: Outcome | None, slices: int = 1) -> RuleResult:
    """The rule's answer.

    Args:
        examined: what the values say.
        level: at which the change is judged.
        outcome: what became of it beside other slices; ``None`` if it stands alone.
        slices: how many slices of the metric it stands beside, itself counted.
    """
    rule, subject, finding = examined.rule, examined.subject, examined.finding
    decision: Decision | None = None
    advisory = False
    absolute = bool(finding.against)
    if (comparison := examined.comparison) is not None:
        decision = comparison.decision(rule, subject, level)
        if outcome is not None:
            decision = replace(decision, verdict=outcome, needed=decision.needed if outcome == "inconclusive" else None)
        sentence = movement(subject, rule, comparison.base, decision, comparison.evidence, level, comparison.margin)
        sentence += f" (Holm over {slices} slices)" if slices > 1 else ""
        sentence += f" ({comparison.note})" if comparison.note else ""
        kind = {"fail": finding.against, "inconclusive": finding.undecided, "pass": finding.notes}
        kind[decision.verdict].append(Sentence(sentence, subject.title))
        few = rule.slice is not None and examined.cases < BOOTSTRAP_CASES
        advisory = few and not absolute and decision.verdict != "pass" and "severity" not in rule.model_fields_set
    if examined.rated is not None:
        beside = f" (Holm over {slices} slices)" if slices > 1 else ""
        decision = examined.rated.settled(rule, subject, level, finding, outcome, beside)
    needed = decision.needed if decision is not None and finding.verdict == "inconclusive" else None
    reason = finding.reason
    if advisory:
        few_cases = f"; only a warning: a slice of fewer than {BOOTSTRAP_CASES} cases"
        reason = replace(reason, predicate=reason.predicate + few_cases)
    return RuleResult(
        metric=rule.metric,
        slice=rule.slice,
        verdict=finding.verdict,
        reason=f"{reason}{needed_words(needed, rule.metric)}",
        predicate=reason.predicate if reason.subject else "",
        severity="warn" if advisory else rule.severity,
        baseline=examined.baseline,
        candidate=examined.candidate,
        change=decision.change if decision is not None and comparison is not None else None,
        interval=decision.interval if decision is not None and comparison is not None else None,
        limit=limit_text(rule, subject),
        minimum=rule.min,
        maximum=rule.max,
        worst=rule.worst,
        margin=_margin(rule, comparison),
        better=subject.direction,
        n=examined.cases,
        needed=needed,
        ratings_wanted=rule.ratings_wanted,
        advisory=advisory,
        waiver=examined.waiver,
        not_compared=examined.not_compared,
    )


def _margin(rule: Rule, comparison: PairedChange | None) -> float | None:
    """The margin in the metric's unit, as far as it is known."""
    if rule.margin is None:
        return None
    if comparison is not None:
        return comparison.margin
    return rule.margin.amount if rule.margin.in_unit else None


def _complete(rule: Rule, subject: Subject, ours: Values, theirs: Values | None, finding: Finding) -> None:
    """Nothing that should be there is missing from the candidate."""
    if not ours.cases:
        where = f" in the slice '{rule.slice}'" if rule.slice is not None else ""
        what = f"missing: the candidate has no value of {subject.title}{where}"
        if ours.inapplicable:
            what += f", which applies to none of these cases: {named(ours.inapplicable)}"
        finding.against.append(Sentence(what))
        return
    if WHOLE_SUITE in ours.lost:
        where = f" in the slice '{rule.slice}'" if rule.slice is not None else ""
        finding.against.append(Sentence(f"no value of {subject.title}{where}: {ours.lost[WHOLE_SUITE]}"))
    elif ours.lost:
        count = f"{len(ours.lost)} of {len(ours.cases)} case{'s' if len(ours.cases) > 1 else ''}"
        finding.against.append(Sentence(f"no value of {subject.title} for {count}: {named(ours.lost)}"))
    # a baseline of before the case said that the metric does not apply to it has a reason there in place of a value
    if theirs is not None and (gone := theirs.cases - ours.cases - (theirs.lost.keys() & ours.inapplicable.keys())):
        cases = named(dict.fromkeys(gone, ""))
        what = f"missing: the candidate has no value of {subject.title} for {cases}, the baseline has"
        finding.against.append(Sentence(what))


def _bounds(rule: Rule, subject: Subject, value: float, measured: Values, finding: Finding) -> None:
    """The absolute bounds. The allowance for rounding depends on the bound alone."""
    because = f": {measured.why}" if measured.why else ""
    if rule.max is not None and value > rule.max + abs(rule.max) * ROUNDING:
        ours, bound = subject.amounts(value, rule.max)
        finding.against.append(Sentence(f"is {ours}, above the maximum of {bound}{because}", subject.title))
    elif rule.min is not None and value < rule.min - abs(rule.min) * ROUNDING:
        ours, bound = subject.amounts(value, rule.min)
        finding.against.append(Sentence(f"is {ours}, below the minimum of {bound}{because}", subject.title))
    elif rule.confidence is not None and rule.max is not None:
        _maximum_with_confidence(rule.max, rule.confidence, subject, value, measured, finding)
    elif rule.min is not None or rule.max is not None:
        bounds = [(sign, bound) for sign, bound in (("≥", rule.min), ("≤", rule.max)) if bound is not None]
        ours, *texts = subject.amounts(value, *(bound for _, bound in bounds))
        words = " and ".join(f"{sign} {text}" for (sign, _), text in zip(bounds, texts, strict=True))
        finding.notes.append(Sentence(f"is {ours}, as it must be {words}", subject.title))


def _maximum_with_confidence(
    maximum: float, confidence: float, subject: Subject, value: float, measured: Values, finding: Finding
) -> None:
    """The value itself holds the maximum; so must its upper bound, or it is not known whether the maximum is held."""
    upper = upper_bound(value, measured.tail, measured.standard_error, confidence)
    sure = f"with {confidence * 100:.12g} % confidence"
    if isinstance(upper, str):
        ours, bound = subject.amounts(value, maximum)
        finding.undecided.append(Sentence(f"is {ours}; whether it is ≤ {bound} {sure} is open: {upper}", subject.title))
        return
    ours, most, bound = subject.amounts(value, upper, maximum)
    if upper > maximum + abs(maximum) * ROUNDING:
        what = f"is {ours}, and may {sure} be as much as {most}, above the maximum of {bound}"
        finding.undecided.append(Sentence(what, subject.title))
    else:
        finding.notes.append(Sentence(f"is {ours}, and {sure} at most {most}, as it must be ≤ {bound}", subject.title))


def _worst(rule: Rule, subject: Subject, ours: Values, finding: Finding) -> None:
    """The bound on the worst case."""
    if rule.worst is None or subject.direction is None:
        return
    sign = 1.0 if subject.direction == "lower" else -1.0
    case = max(sorted(ours.by_case), key=lambda name: sign * ours.by_case[name])
    value = ours.by_case[case]
    have, bound = subject.amounts(value, rule.worst)
    if sign * (value - rule.worst) > abs(rule.worst) * ROUNDING:
        side = "above the maximum" if sign > 0 else "below the minimum"
        what = f"of the worst case, '{case}', is {have}, {side} of {bound} for any case"
        finding.against.append(Sentence(what, subject.title))
    else:
        what = f"of the worst case is {have}, as it must be {'≤≥'[sign < 0]} {bound}"
        finding.notes.append(Sentence(what, subject.title))


def _unpaired(rule: Rule, subject: Subject, ours: Values, theirs: Values) -> str | None:
    """Why the two sides cannot be paired by case; ``None`` if they can."""
    if not theirs.cases:
        where = f" in the slice '{rule.slice}'" if rule.slice is not None else ""
        return f"the baseline has no value of {subject.title}{where}; measure it again with this policy"
    if new := ours.cases - theirs.cases:
        cases = named(dict.fromkeys(new, ""))
        return f"the baseline has no value of {subject.title} for {cases}; measure it again with this suite"
    if WHOLE_SUITE in theirs.lost:
        return f"the baseline has no value of {subject.title}: {theirs.lost[WHOLE_SUITE]}"
    if lost := {case: why for case, why in theirs.lost.items() if case in ours.cases}:
        return f"the baseline has no value of {subject.title} for {named(lost)}"
    return None


def paired_change(
    rule: Rule, subject: Subject, ours: Values, theirs: Values, margin_in_unit: MarginUnit
) -> PairedChange:
    """The change against the baseline. Both sides have the same cases."""
    cases = sorted(ours.by_case)
    sign = -1.0 if subject.direction == "higher" else 1.0
    worsenings = [sign * (ours.by_case[case] - theirs.by_case[case]) for case in cases]
    base = mean([theirs.by_case[case] for case in cases])
    margin = margin_in_unit(rule, base)
    rounding = ROUNDING * max(margin, *(abs(theirs.by_case[case]) for case in cases))
    if cases != [WHOLE_SUITE]:
        return PairedChange(base, weigh(worsenings, rounding), margin, rounding)
    (worsening,) = worsenings
    if ours.resamples is None or theirs.resamples is None:
        of = "suite" if rule.slice is None else "slice"
        note = f"one value for the whole {of}, without resamples: held as it is"
        return PairedChange(base, Exact(worsening, 1), margin, rounding, note)
    if ours.resamples.key != theirs.resamples.key or len(ours.resamples.values) != len(theirs.resamples.values):
        note = f"the two sides' resamples are not of the same {subject.over}s: held as it is"
        return PairedChange(base, Exact(worsening, 1), margin, rounding, note)
    if len(ours.resamples.values) < 2:
        return PairedChange(base, Exact(worsening, 1), margin, rounding, "too few resamples: held as it is")
    pairs = zip(ours.resamples.values, theirs.resamples.values, strict=True)
    resampled = [sign * (here - there) for here, there in pairs]
    return PairedChange(base, weigh_resamples(worsening, resampled, ours.resamples.cases, rounding), margin, rounding)
