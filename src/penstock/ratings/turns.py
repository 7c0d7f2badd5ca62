"""What one rater sees, in which order, and on which side: all drawn by lot from the plan's seed."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass

from penstock.ratings.records import Answer, Kind, RatedPair, Rating, RatingPlan, Side, pair_name

CATCHES_AT_LEAST = 3
CASES_A_CATCH = 4
"""One catch pair for so many cases."""
SIDES: tuple[Side, Side] = ("left", "right")


@dataclass(frozen=True)
class RaterTurn:
    """One pair as one rater sees it."""

    name: str
    """Of its answer in the store."""
    pair: RatedPair
    kind: Kind
    candidate: Side | None
    """Where the candidate is; ``None`` of a catch pair, of which both sides are one model's."""
    blurred: Side | None
    """Of a catch pair ``soft``: the side that is."""
    of_candidate: bool = False
    """Whether both sides of a catch pair are the candidate's. It is drawn by lot: were they always one model's, who
    knows a clip again from a catch pair would know which side of its case is which."""

    @property
    def right(self) -> Answer | None:
        """The right answer of a catch pair."""
        if self.kind == "same":
            return "same"
        return None if self.blurred is None else other(self.blurred)

    def file(self, side: Side) -> tuple[bool, str]:
        """Which file is on a side: whether it is the candidate's, and its name in the bundle."""
        if self.candidate == side or self.of_candidate:
            return True, self.pair.candidate
        return False, self.pair.released

    def rating(self, rater: str, answer: Answer, *, reason: str, time: str) -> Rating:
        """What a rater has answered at a time (UTC), as it is kept."""
        return Rating(
            rater=rater,
            case=self.pair.case,
            kind=self.kind,
            candidate=self.candidate,
            right=self.right,
            answer=answer,
            reason=reason,
            time=time,
        )


def other(side: Side) -> Side:
    """The other side."""
    return "right" if side == "left" else "left"


def turns(plan: RatingPlan, rater: str) -> list[RaterTurn]:
    """All pairs of a rater, in his order: every case once, and at least three catch pairs spread over them.

    The order, the sides and the places of the catch pairs follow from SHA-256 over the seed, the rater and the case:
    the same at every request, different from rater to rater, and known to nobody who does not read the store.
    """
    cases = sorted(plan.pairs, key=lambda pair: lot(plan.seed, rater, "order", pair.case))
    count = max(CATCHES_AT_LEAST, -(-len(cases) // CASES_A_CATCH))
    catches = [_catch(plan, rater, number) for number in range(count)]
    places = [_place(plan.seed, rater, number, count, len(cases)) for number in range(count)]
    found: list[RaterTurn] = []
    for index, pair in enumerate(cases):
        found += [catch for catch, place in zip(catches, places, strict=True) if place == index]
        side = SIDES[lot(plan.seed, rater, "side", pair.case) % 2]
        found.append(RaterTurn(pair_name(pair.case), pair, "case", side, None))
    return found + [catch for catch, place in zip(catches, places, strict=True) if place >= len(cases)]


def lot(seed: str, *words: str) -> int:
    """A number that looks random, the same for the same words: 256 bits."""
    return int.from_bytes(hashlib.sha256(json.dumps([seed, *words]).encode()).digest(), "big")


def pseudonym(seed: str, rater: str) -> str:
    """What a rater is called where others read: ``rater 5f3a09c1``, the same in all that is said of one plan.

    A report alone does not tell the name; anybody who reads the store knows the seed, and can find it.
    """
    return f"rater {lot(seed, 'pseudonym', rater) >> 224:08x}"


def _catch(plan: RatingPlan, rater: str, number: int) -> RaterTurn:
    """Every third is a clip twice, and the blurred sides take turns: always the same answer is mostly wrong."""
    pair = plan.pairs[lot(plan.seed, rater, "catch", str(number)) % len(plan.pairs)]
    of_candidate = lot(plan.seed, rater, "shown", str(number)) % 2 == 1
    if is_twice(number):
        return RaterTurn(f"catch-{number}", pair, "same", None, None, of_candidate)
    first = lot(plan.seed, rater, "blurred") % 2
    blurred = SIDES[(first + number - (number + 1) // 3) % 2]
    return RaterTurn(f"catch-{number}", pair, "soft", None, blurred, of_candidate)


def is_twice(number: int) -> bool:
    """Whether a catch pair, counted from 0, is a clip twice; of the others one side is blurred."""
    return number % 3 == 1


def _place(seed: str, rater: str, number: int, count: int, cases: int) -> int:
    """Before which case a catch pair stands: anywhere in its share of them."""
    begin, end = number * cases // count, (number + 1) * cases // count
    return begin + lot(seed, rater, "place", str(number)) % max(1, end - begin)
