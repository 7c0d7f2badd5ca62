"""What people said of the candidate beside the released model: the ratings that the gate has counted."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from penstock.bundle.directory import Bundle, read_model
from penstock.bundle.models import Measurement
from penstock.bundle.verdict_record import RuleResult, Verdict
from penstock.gating.preference_rule import EQUAL, Rated
from penstock.ratings.records import RATINGS_FILE, CountedRatings, RaterRecord, Rating
from penstock.ratings.turns import pseudonym
from penstock.report.cases import number

MAX_SLICES = 40
MAX_LOST = 5
"""Pairs that are named: those that most people decided against the candidate."""
MAX_REASONS = 3
MAX_REASON = 200
MAX_RATERS = 200
STATES: dict[str, str] = {
    "counts": "counts",
    "waits": "too few catch pairs answered",
    "disqualified": "disqualified",
}


@dataclass(frozen=True)
class ShareRow:
    """The share of all cases, or of a slice."""

    name: str | None
    """Of the slice; ``None``: all cases."""
    share: str
    interval: str
    """``0.41 … 0.59``; empty: there is none."""
    ratings: int
    raters: int
    cases: int
    agreement: str
    verdict: str
    """Of the rule about it; empty: there is none."""
    reason: str


@dataclass(frozen=True)
class LostPair:
    """A case of which people prefer the released model's answer."""

    case: str
    place: int | None
    """Among the cases of the page, from 0; ``None``: it is not on the page."""
    votes: str
    """``5 for the released model, 1 the same, 2 for the candidate``."""
    reasons: list[str]
    """Of those who prefer the released model."""


@dataclass(frozen=True)
class ShownRater:
    """One rater, by a pseudonym."""

    name: str
    state: Literal["counts", "waits", "disqualified"]
    words: str
    ratings: int
    catches: str
    """``7 of 8``."""


@dataclass(frozen=True)
class RatingSection:
    """The section, for the template."""

    title: str
    """Of the metric."""
    level: str
    """Of the intervals: ``90 %``."""
    rows: list[ShareRow]
    """All cases first."""
    left_out: int
    """Slices that are not shown."""
    lost: list[LostPair]
    more_lost: int
    raters: list[ShownRater]
    more_raters: int
    disqualified: int
    closed: bool
    broken: int
    """Objects of the store that are no ratings."""
    rated_run: str
    """The run under which people rated; empty: this one."""
    notes: list[str] = field(default_factory=list)


def rating_section(bundle: Bundle, verdict: Verdict | None, cases: Sequence[str]) -> RatingSection | None:
    """The section of a bundle; ``None`` if no rule asked for ratings.

    Args:
        bundle: the candidate's.
        verdict: the gate's; ``None``: nothing was judged, and nothing is said of ratings.
        cases: on the page, in its order.

    Raises:
        UsageError: the record is broken.
    """
    path = bundle.path / RATINGS_FILE
    if verdict is None or not path.exists():
        return None
    record = read_model(path, CountedRatings)
    lines = [line for line in bundle.measurements() if line.ratings is not None]
    rules = {rule.slice: rule for rule in reversed(verdict.rules) if rule.ratings_wanted is not None}
    whole = [line for line in lines if line.slice is None]
    slices = sorted((line for line in lines if line.slice is not None), key=lambda line: str(line.slice))
    if not whole:
        return None
    lost = _lost(record, cases)
    raters = sorted(
        record.raters, key=lambda rater: (rater.state != "disqualified", pseudonym(record.seed, rater.rater))
    )
    own = bundle.run().run_id if bundle.run_file.exists() else ""
    return RatingSection(
        title=number(whole[0].metric, None, None).title,
        level=f"{100 * (1 - 2 * verdict.level):.12g} %",
        rows=[_row(line, rules, verdict.level) for line in (*whole, *slices[:MAX_SLICES])],
        left_out=max(0, len(slices) - MAX_SLICES),
        lost=lost[:MAX_LOST],
        more_lost=max(0, len(lost) - MAX_LOST),
        raters=[_rater(record, rater) for rater in raters[:MAX_RATERS]],
        more_raters=max(0, len(raters) - MAX_RATERS),
        disqualified=record.count.disqualified,
        closed=record.count.closed,
        broken=len(record.broken),
        rated_run=record.rated_run if record.rated_run != own else "",
        notes=_notes(record),
    )


def _row(line: Measurement, rules: Mapping[str | None, RuleResult], level: float) -> ShareRow:
    count, rule = line.ratings, rules.get(line.slice)
    assert count is not None  # noqa: S101 (only such lines come here)
    bounds = Rated(count, line.value, line.standard_error).interval(level)
    return ShareRow(
        name=line.slice,
        share="–" if line.value is None else f"{line.value:.2f}",
        interval=" … ".join(f"{end:.2f}" for end in bounds or ()),
        ratings=count.counted,
        raters=count.raters,
        cases=count.cases,
        agreement="" if count.agreement is None else f"{count.agreement:.2f}",
        verdict=rule.verdict if rule is not None else "",
        reason=rule.reason if rule is not None else "",
    )


def _lost(record: CountedRatings, cases: Sequence[str]) -> list[LostPair]:
    """The pairs that more people decided against the candidate than for it, the clearest first."""
    counts = record.scores()
    by_case: dict[str, list[Rating]] = defaultdict(list)
    for rating in record.ratings:
        if rating.kind == "case" and (rating.rater, rating.case) in counts:
            by_case[rating.case].append(rating)
    places = {case: place for place, case in enumerate(cases)}
    against = {case: sum(EQUAL - one.score for one in given) for case, given in by_case.items()}
    clearest = sorted(
        (case for case, votes in against.items() if votes > 0),
        key=lambda case: (-against[case], len(by_case[case]), case),
    )
    return [_lost_pair(case, by_case[case], places.get(case)) for case in clearest]


def _lost_pair(case: str, given: list[Rating], place: int | None) -> LostPair:
    released, same, candidate = (sum(one.score == score for one in given) for score in (0.0, 0.5, 1.0))
    votes = f"{released} for the released model, {same} the same, {candidate} for the candidate"
    reasons = dict.fromkeys(one.reason for one in given if one.score == 0.0 and one.reason)
    return LostPair(case, place, votes, [_cut(reason) for reason in reasons][:MAX_REASONS])


def _cut(text: str) -> str:
    return text if len(text) <= MAX_REASON else f"{text[: MAX_REASON - 1]}…"


def _rater(record: CountedRatings, rater: RaterRecord) -> ShownRater:
    name, catches = pseudonym(record.seed, rater.rater), f"{rater.right} of {rater.catches}"
    return ShownRater(name, rater.state, STATES[rater.state], rater.ratings, catches)


def _notes(record: CountedRatings) -> list[str]:
    count, found = record.count, []
    if count.waiting:
        found.append(f"{count.waiting} more of people who have answered too few catch pairs")
    if count.elsewhere:
        found.append(f"{count.elsewhere} compare with another release and do not count")
    if count.closed:
        found.append("nobody rates any more: the rating was closed")
    return found
