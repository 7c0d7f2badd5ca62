"""The rule about people's ratings: it waits until there are enough, and then the interval decides."""

from __future__ import annotations

from dataclasses import dataclass, replace

from penstock.bundle.estimates import RatingCount, StandardError
from penstock.bundle.verdict_record import Outcome
from penstock.contract.policy import Rule
from penstock.families.engine_metrics import PREFERENCE_METRIC
from penstock.gating.decision import ROUNDING, Decision, change_interval, settle
from penstock.gating.evidence import Evidence, Exact, MeanWithError
from penstock.gating.finding import Finding
from penstock.gating.measurements import Table
from penstock.gating.wording import Sentence, Subject

EQUAL = 0.5
"""The share where neither model is preferred."""
FEWEST_RATERS = 5
"""To pass. With fewer, the error of the share is itself known so badly that a share at the bound passes more often than
the level says: 10 to 13 % of the time with two raters, 8 to 10 % with three, instead of 5 %."""


@dataclass(frozen=True)
class Rated:
    """What people said of the candidate."""

    count: RatingCount
    share: float | None
    """Of the ratings that prefer the candidate, the same as half; ``None``: there are none."""
    error: StandardError | None
    """``None``: one rater or one case alone."""

    def evidence(self) -> Evidence | None:
        """How much worse than equal the share is; ``None``: nothing is known of its error."""
        if self.share is None or self.error is None:
            return None
        worsening, count = EQUAL - self.share, self.count.counted
        if self.error.error <= 0:
            return Exact(worsening, count)
        return MeanWithError(worsening, count, self.error.error, self.error.freedom, "two-way clusters")

    def interval(self, level: float) -> tuple[float, float] | None:
        """Bounds of the share, each at the level, 0 to 1; ``None``: nothing is known of its error."""
        evidence = self.evidence()
        bounds = change_interval(evidence, "higher", level) if evidence is not None else None
        return _as_shares(bounds) if bounds is not None else None

    def settled(
        self,
        rule: Rule,
        subject: Subject,
        level: float,
        finding: Finding,
        outcome: Outcome | None = None,
        beside: str = "",
    ) -> Decision | None:
        """Add what they say to the findings; returns the decision of the interval, where there is one.

        Too few ratings never pass, also where nobody rates any more; those can be against the candidate all the same.

        Args:
            rule: with ``min``.
            subject: the metric.
            level: of the interval's bounds.
            finding: is added to.
            outcome: of the interval beside other slices; ``None`` if it stands alone.
            beside: what is said of these; empty if it stands alone.
        """
        wanted = rule.ratings_wanted or 0
        if rule.min is None or finding.against:
            return None
        few = self._few(wanted)
        decision = self._decision(rule.min, level)
        if decision is not None and outcome is not None:
            decision = replace(decision, verdict=outcome, needed=decision.needed if outcome == "inconclusive" else None)
        if few and (decision is None or decision.verdict != "fail" or not self.count.closed):
            finding.undecided.append(Sentence(few))
            return None
        if decision is None or self.share is None:
            who = "rater" if self.count.raters < 2 else "case"
            finding.undecided.append(Sentence(f"all ratings are of one {who}: at least two are needed"))
            return None
        if decision.verdict == "pass" and self.count.raters < FEWEST_RATERS:
            finding.undecided.append(Sentence(f"ratings of {self.count.raters} of at least {FEWEST_RATERS} people"))
            return None
        told = self._told(rule.min, subject, decision, level) + beside
        kind = {"fail": finding.against, "inconclusive": finding.undecided, "pass": finding.notes}
        kind[decision.verdict].append(Sentence(told, subject.title))
        return decision

    def _few(self, wanted: int) -> str:
        """Why there are too few; empty: there are enough."""
        have = self.count
        if have.counted >= wanted:
            return ""
        more = [f"{have.waiting} more of people with too few catch pairs answered"] if have.waiting else []
        more += [f"disqualified: {have.disqualified}"] if have.disqualified else []
        more += [f"{have.elsewhere} compare with another release"] if have.elsewhere else []
        words = f"{have.counted} of {wanted} ratings{' (' + ', '.join(more) + ')' if more else ''}"
        return f"{words}, and nobody rates any more" if have.closed else words

    def _decision(self, minimum: float, level: float) -> Decision | None:
        """The share beside its minimum, as a change from equal beside its margin."""
        evidence = self.evidence()
        return None if evidence is None else settle(evidence, EQUAL - minimum, "higher", level, rounding=ROUNDING)

    def _told(self, minimum: float, subject: Subject, decision: Decision, level: float) -> str:
        low, high = _as_shares(decision.interval or (0.0, 0.0))
        share, bottom, top, bound = subject.amounts(EQUAL + decision.change, low, high, minimum)
        of = f"is {share} of {self.count.counted} ratings by {self.count.raters} people"
        out = f", {self.count.disqualified} others disqualified" if self.count.disqualified else ""
        sure = f"{100 * (1 - 2 * level):.12g} % interval {bottom} to {top}"
        end = {
            "pass": f"as it must be ≥ {bound}",
            "fail": f"below the minimum of {bound}",
            "inconclusive": f"whether it is ≥ {bound} is open",
        }
        return f"{of}{out} ({sure}), {end[decision.verdict]}"


def _as_shares(changes: tuple[float, float]) -> tuple[float, float]:
    """Changes from equal as shares, which end at 0 and 1."""
    low, high = changes
    return max(0.0, EQUAL + low), min(1.0, EQUAL + high)


def rated_in(candidate: Table, slice_name: str | None = None) -> Rated:
    """What the candidate's measurements say of ratings, of all cases or a slice; none where they have no such line."""
    found = candidate.of_a_whole(PREFERENCE_METRIC.name, slice_name)
    if found is None or found.ratings is None:
        return Rated(RatingCount(counted=0), None, None)
    return Rated(found.ratings, found.value, found.standard_error)
