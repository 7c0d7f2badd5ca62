"""How many ratings a rule needs: made-up raters answer, and the rule's own decision is asked what it says of them."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from statistics import NormalDist
from typing import TYPE_CHECKING

from penstock.bundle.estimates import RatingCount, StandardError
from penstock.bundle.verdict_record import Outcome
from penstock.contract.models import Suite
from penstock.contract.policy import Policy, Rule
from penstock.gating.decision import ROUNDING
from penstock.gating.finding import Finding
from penstock.gating.preference_rule import EQUAL, FEWEST_RATERS, Rated
from penstock.gating.suite_size import cases_of
from penstock.gating.wording import subject_of
from penstock.ratings.preference import win_share
from penstock.ratings.records import MAX_PAIRS

if TYPE_CHECKING:
    import numpy as np

SEED = 72
RUNS = 500
"""Made-up runs of each kind: a chance of 95 % is known to within 2 points."""
MOST_RATERS = 100
"""That are looked for; nobody finds more people."""
MOST_RATINGS = 2000
LEAST_RATINGS = 10
"""Of a rule."""
STEP = 1.05
"""How far the numbers of ratings that are tried lie apart: a chance is not known better than that tells."""
BELOW = 0.15
"""How far below a minimum of 0.5 or more a worse model is; below a smaller one, as far as that is below 0.5."""
ROOM = 0.8
"""Of the answers that a share leaves room for, at most so many are "the same"."""


@dataclass(frozen=True)
class RatingWay:
    """How people answer."""

    same: float
    """Share of answers that are "the same", 0 to 1."""
    spread: float
    """How far each rater, and each case, leans by itself: standard deviations of a single answer."""


WAYS = (RatingWay(0.0, 0.0), RatingWay(0.3, 0.3))
"""Nobody leans, and nobody says "the same"; raters and cases lean a little."""


@dataclass(frozen=True)
class MadeUpRaters:
    """Raters who answer cases."""

    raters: int
    cases: int
    ratings: int
    """How many they give in all, no more than raters × cases: each rater as many as any other, or one more."""
    share: float
    """The true share of ratings that prefer the candidate, above 0 and below 1."""
    way: RatingWay

    def answers(self, generator: np.random.Generator, runs: int) -> np.ndarray:
        """Scores (0, 0.5, 1; NaN where there is none), shape (runs, raters, cases): a normal number around the
        candidate's advantage, to which every rater and every case adds a leaning of its own; what lies near 0 is "the
        same". A rater who does not answer all cases answers some by lot, as the order of pairs is.
        """
        import numpy as np

        spread, total = self.way.spread, (1 + 2 * self.way.spread**2) ** 0.5
        same = min(self.way.same, 2 * ROOM * min(self.share, 1 - self.share))
        high = NormalDist().inv_cdf(1 - (self.share - same / 2)) * total
        low = NormalDist().inv_cdf(1 - self.share - same / 2) * total
        drawn = generator.standard_normal((runs, self.raters, self.cases))
        drawn += spread * generator.standard_normal((runs, self.raters, 1))
        drawn += spread * generator.standard_normal((runs, 1, self.cases))
        scores = np.where(drawn > high, 1.0, np.where(drawn < low, 0.0, 0.5))
        if self.ratings < self.raters * self.cases:
            each = self.ratings // self.raters + (np.arange(self.raters) < self.ratings % self.raters)
            place = generator.random(drawn.shape).argsort(axis=2).argsort(axis=2)
            scores[place >= each[None, :, None]] = np.nan
        return scores


@dataclass(frozen=True)
class Chances:
    """How often a rule says what, each 0 to 1."""

    passes: float
    inconclusive: float
    fails: float
    below: float
    """How often the mere share, without an interval, is below the minimum."""


@dataclass(frozen=True)
class WayChances:
    """What a rule says where people answer in one way."""

    way: RatingWay
    equal: Chances
    """Of a model that is as good as the released one."""
    at_bound: Chances
    """Of one whose true share is the minimum: it should pass in no more than the level."""
    worse: Chances
    """Of one that is worse: see :attr:`RatingPower.worse`."""
    takes: int | None
    """Ratings of these cases with which an equal model passes and a worse one is stopped, each with a chance of
    1 - level; ``None``: no number that is looked for does it."""


@dataclass(frozen=True)
class RatingPower:
    """What a rule about people's ratings can see."""

    place: int
    """Of the rule in the policy, from 0."""
    rule: Rule
    minimum: float
    cases: int
    """That the rule looks at; a rater sees 200 at most."""
    ratings: int
    """That the rule waits for."""
    raters: int
    """Who give them: as few as can, at least five; with more cases than each of them needs, by lot."""
    worse: float
    """The true share of a model that should be stopped: as far below the minimum as that is below 0.5."""
    ways: list[WayChances]
    """None where there are no cases."""


def rating_power(policy: Policy, suite: Suite, *, runs: int = RUNS) -> list[RatingPower]:
    """What each rule about people's ratings can see with this suite; the same answer every time.

    Args:
        policy: the rules.
        suite: the cases that a release is run over. Whether the models answer with something that can be rated is not
            known here.
        runs: made-up runs of each kind.
    """
    slices = sum(rule.ratings_wanted is not None and rule.slice is not None for rule in policy.rules)
    return [
        _power(place, rule, suite, policy.level, policy.level / (slices if rule.slice is not None else 1), runs)
        for place, rule in enumerate(policy.rules)
        if rule.ratings_wanted is not None
    ]


def _power(place: int, rule: Rule, suite: Suite, level: float, own: float, runs: int) -> RatingPower:
    minimum, wanted, cases = rule.min or 0.0, rule.ratings_wanted or 0, min(cases_of(rule, suite), MAX_PAIRS)
    worse = max(minimum / 2, minimum - (EQUAL - minimum if minimum < EQUAL else BELOW))

    def asked(way: RatingWay, ratings: int, share: float) -> Chances:
        return chances(MadeUpRaters(_raters(ratings, cases), cases, ratings, share, way), rule, own, runs)

    def settles(way: RatingWay, ratings: int) -> bool:
        enough = 1 - level
        return asked(way, ratings, EQUAL).passes >= enough and asked(way, ratings, worse).fails >= enough

    ways = []
    for way in WAYS if cases else ():
        can = minimum < EQUAL and cases > 1
        takes = _fewest(partial(settles, way), _tried(cases)) if can else None
        equal, at_bound, below = (asked(way, wanted, share) for share in (EQUAL, minimum, worse))
        ways.append(WayChances(way, equal, at_bound, below, takes))
    return RatingPower(place, rule, minimum, cases, wanted, _raters(wanted, cases) if cases else 0, worse, ways)


def _raters(ratings: int, cases: int) -> int:
    """The fewest people who can give so many ratings, and whose ratings can pass a release."""
    return max(FEWEST_RATERS, -(-ratings // cases))


def _tried(cases: int) -> list[int]:
    """Numbers of ratings, in order, as far as anybody would go."""
    found = [LEAST_RATINGS]
    while (following := max(found[-1] + 1, round(found[-1] * STEP))) <= min(MOST_RATERS * cases, MOST_RATINGS):
        found.append(following)
    return found


def _fewest(settles: Callable[[int], bool], tried: list[int]) -> int | None:
    """The first of growing numbers that settles it; ``None``: not even the last."""
    if not settles(tried[-1]):
        return None
    return tried[bisect_left(tried, True, key=settles)]


def chances(made: MadeUpRaters, rule: Rule, level: float, runs: int) -> Chances:
    """How often the rule says what of made-up runs.

    Args:
        made: who answers, and how.
        rule: with ``min``; its ``ratings`` are there.
        level: of the interval's bounds.
        runs: how many are made up.
    """
    import numpy as np

    way = made.way
    words = (round(1000 * number) for number in (made.share, way.same, way.spread))
    generator = np.random.default_rng([SEED, made.raters, made.cases, made.ratings, *words])
    answers = made.answers(generator, runs)
    said = [outcome(scores, rule, level) for scores in answers]
    below = float((np.nanmean(answers, axis=(1, 2)) < (rule.min or 0.0) - ROUNDING).mean())
    passes, inconclusive, fails = (said.count(word) / runs for word in ("pass", "inconclusive", "fail"))
    return Chances(passes, inconclusive, fails, below)


def outcome(scores: np.ndarray, rule: Rule, level: float) -> Outcome:
    """What the rule says of one run's ratings, shape (raters, cases), each 0, 0.5, 1 or NaN where there is none."""
    import numpy as np

    given = {(str(r), str(c)): float(score) for (r, c), score in np.ndenumerate(scores) if score == score}
    found = win_share(given)
    count = RatingCount(counted=len(given), raters=found.raters, cases=found.cases)
    error = StandardError(error=found.error, freedom=found.freedom) if found.error is not None else None
    asked, finding = rule.model_copy(update={"ratings": len(given)}), Finding([], [], [])
    Rated(count, found.share, error).settled(asked, subject_of(asked), level, finding)
    return finding.verdict
