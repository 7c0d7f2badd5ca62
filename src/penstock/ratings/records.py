"""What is kept of ratings in a store, below ``ratings/MODEL/RUN/``. Each object is written once, and never changed."""

from __future__ import annotations

import hashlib
from typing import Annotated, Literal

from pydantic import Field, model_validator

from penstock.bundle.estimates import RatingCount
from penstock.bundle.record import Record
from penstock.store.archive import name_part

PLAN_SCHEMA_VERSION = 1
RATING_SCHEMA_VERSION = 1
RATINGS_FILE = "ratings.json"
"""In a bundle: :class:`CountedRatings`."""
MAX_PAIRS = 200
"""Pairs of a run that are rated: of a larger suite those whose cases' names come first."""
MAX_REASON = 500
MAX_RECORD_BYTES = 16 << 10
MAX_PLAN_BYTES = 1 << 20

Side = Literal["left", "right"]
Answer = Literal["left", "right", "same"]
Kind = Literal["case", "same", "soft"]
"""``case``: both answers. A catch pair is one clip twice (``same``), or that with one side blurred (``soft``)."""
RATER_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9._@-]{0,63}$"
Rater = Annotated[str, Field(pattern=RATER_PATTERN)]
Name = Annotated[str, Field(min_length=1, max_length=300)]
Time = Annotated[str, Field(max_length=40)]


class RatedPair(Record):
    """The two answers to one case."""

    case: Name
    kind: Literal["video", "image"]
    candidate: Name
    """The file in the bundle of the run that is rated."""
    released: Name
    """The file of the released model's answer."""
    released_run: Name
    """The run whose bundle has that: the released one, or the rated one, where the released model ran again in it."""


class RatingPlan(Record):
    """``plan.json``: what is rated, and the seed of all lots. Written when the first rater opens the run."""

    schema_version: int = PLAN_SCHEMA_VERSION
    model: Name
    run_id: Name
    baseline: Name
    """Run id of the release that it is compared with: ratings say nothing of another."""
    seed: Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
    pairs: Annotated[list[RatedPair], Field(min_length=1, max_length=MAX_PAIRS)]
    opened: Time

    @model_validator(mode="after")
    def _each_once(self) -> RatingPlan:
        if len({pair.case for pair in self.pairs}) < len(self.pairs):
            raise ValueError("a case has two pairs")
        return self


class Rating(Record):
    """``answers/RATER/PAIR.json``: one answer of one rater."""

    schema_version: int = RATING_SCHEMA_VERSION
    rater: Rater
    case: Name
    kind: Kind
    candidate: Side | None = None
    """Where the candidate was; ``None`` of a catch pair."""
    right: Answer | None = None
    """Of a catch pair: the right answer."""
    answer: Answer
    reason: Annotated[str, Field(max_length=MAX_REASON)] = ""
    time: Time

    @property
    def score(self) -> float:
        """1: the candidate is better, 0: the released model is, 0.5: neither."""
        return 0.5 if self.answer == "same" else float(self.answer == self.candidate)


class Closing(Record):
    """``closed.json``: nobody rates the run any more."""

    schema_version: int = RATING_SCHEMA_VERSION
    reason: Annotated[str, Field(min_length=1, max_length=500)]
    by: Annotated[str, Field(min_length=1, max_length=200)]
    time: Time


class RaterRecord(Record):
    """What became of one rater."""

    rater: Rater
    state: Literal["counts", "waits", "disqualified"]
    """``waits``: has not answered enough catch pairs yet."""
    ratings: int
    catches: int
    right: int
    """Catch pairs that were answered right."""


class CountedRatings(Record):
    """``ratings.json`` of a bundle: what the gate has counted, so that the verdict can be computed again."""

    schema_version: int = RATING_SCHEMA_VERSION
    rated_run: Name
    """The run under which they are kept: this one, or the one whose outputs it judged again."""
    baseline: str
    seed: str = ""
    count: RatingCount
    raters: list[RaterRecord] = Field(default_factory=list)
    ratings: list[Rating] = Field(default_factory=list)
    """All that can be read, catch pairs and those of raters who do not count included."""
    broken: list[str] = Field(default_factory=list)
    """Keys of objects that are no ratings of this plan."""
    slices: dict[str, list[str]] = Field(default_factory=dict)
    """Case of the run → its slices, of cases that have some."""

    def scores(self) -> dict[tuple[str, str], float]:
        """``(rater, case)`` → the score of each rating that counts."""
        if self.count.elsewhere:
            return {}
        stands = {rater.rater for rater in self.raters if rater.state == "counts"}
        return {(one.rater, one.case): one.score for one in self.ratings if one.kind == "case" and one.rater in stands}


def ratings_root(model: str, run_id: str) -> str:
    """``ratings/MODEL/RUN``.

    Raises:
        UsageError: a name that cannot be part of a key.
    """
    return f"ratings/{name_part(model, 'model')}/{name_part(run_id, 'run')}"


def pair_name(case: str) -> str:
    """What the answers to a case are called in the store: cases may be called anything."""
    return f"case-{hashlib.sha256(case.encode()).hexdigest()[:32]}"
