"""The case that a person is shown first: the worst by the rules that keep the release back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from penstock.bundle.verdict_record import RuleResult, Verdict
from penstock.families.registry import is_timed
from penstock.gating.wording import needed_words, tally
from penstock.report.cases import CaseRow, Number, case_rows, criterion
from penstock.report.media import Medium, media_of
from penstock.report.run_records import Side
from penstock.report.summary import rule_name, stops

OF_NO_CASE = ". No single case has this value; below is the worst case by the other rules"
LOOKED_AT = 50
"""Cases, the worst, among which one with a picture or a video is looked for."""


@dataclass(frozen=True)
class WorstCase:
    """One case, and what the gate says of the metric that makes it the worst."""

    case: CaseRow
    number: Number | None
    """The metric that tells most; ``None``: no value of this case ranks it."""
    sentence: str
    """Why the release is kept back, in the words of the summary and of the chats; else how many rules hold."""
    limit: str
    """Of the rule on :attr:`number`; empty: there is none."""
    answers: dict[str, Medium]
    """Side → its answer; a side without one is absent."""


def worst_case(candidate: Side, baseline: Side | None, verdict: Verdict) -> WorstCase | None:
    """The worst case of which either side has an answer that is a file; ``None``: there is none.

    It is the worst, in margins, by the rules that keep the release back. Where none of them has a value of single cases
    (a metric of the whole suite), it is the worst by all rules, and the sentence says so. Where nothing keeps the
    release back, time and memory count only if there is nothing else: they cannot be seen.

    Args:
        candidate: the run.
        baseline: what it is compared with, if anything.
        verdict: the gate's answer.
    """
    stopping = [rule for rule in verdict.rules if stops(rule)]
    # as the chats do: of a rejected release, what is inconclusive comes second
    stopping.sort(key=lambda rule: rule.verdict != verdict.verdict)
    rules, ranked = stopping, case_rows(candidate, baseline, [criterion(rule) for rule in stopping])
    remark = ""
    if not any(case.number_of(rule.metric) is not None for case in ranked for rule in stopping):
        seen = [rule for rule in verdict.rules if not is_timed(rule.metric)]
        rules = seen if seen and not stopping else verdict.rules
        ranked = case_rows(candidate, baseline, [criterion(rule) for rule in rules])
        remark = OF_NO_CASE if stopping else ""
    first = [case.name for case in ranked[:LOOKED_AT]]
    sides = {"baseline": media_of(baseline.bundle, first) if baseline else {}}
    sides["candidate"] = media_of(candidate.bundle, first)
    for case in ranked[:LOOKED_AT]:
        answers = {side: media[case.name] for side, media in sides.items() if case.name in media}
        if answers:
            rule = _rule_of(case, rules)
            number = case.number_of(rule.metric) if rule is not None else None
            told = rule if rule is not None and stops(rule) else next(iter(stopping), None)
            sentence = f"{_sentence(told, verdict)}{remark}"
            return WorstCase(case, number, sentence, rule.limit if rule is not None else "", answers)
    return None


def _rule_of(case: CaseRow, rules: Sequence[RuleResult]) -> RuleResult | None:
    """The rule on the metric that tells most of a case; of one without an answer, every rule's tells as much, the first
    that keeps the release back.
    """
    metric = case.telling or case.changed if case.status == "ok" else ""
    found = [
        rule for rule in rules if (rule.slice is None or rule.slice in case.slices) and metric in ("", rule.metric)
    ]
    found.sort(key=lambda rule: (not stops(rule), rule.verdict == "pass", rule.verdict != "fail"))
    return found[0] if found else None


def _sentence(rule: RuleResult | None, verdict: Verdict) -> str:
    """``LSE-D rose from 7.9 to 9.3; about 40 cases would settle it``; ``all 12 rules hold``."""
    if rule is None:
        return tally(verdict.rules)
    if not rule.predicate:
        return rule.reason
    return f"{rule_name(rule)} {rule.predicate}{needed_words(rule.needed, rule.metric)}"
