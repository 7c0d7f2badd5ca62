"""What a measured value rests on, where a bound of it is taken from more than the cases' own values."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from penstock.bundle.record import Record


class Tail(Record):
    """The values from a quantile upwards, of which that quantile is one: what an upper bound of it is taken from."""

    quantile: float
    count: int
    """Of all values."""
    values: list[float]
    """In order: the quantile itself, and those that follow it, as far as any bound needs them."""


class StandardError(Record):
    """How sure a mean is."""

    error: Annotated[float, Field(ge=0, le=1e100)]
    freedom: Annotated[int, Field(ge=1)]
    """Degrees of freedom of Student's t."""


class RatingCount(Record):
    """What a share of people's ratings was computed from."""

    counted: Annotated[int, Field(ge=0)]
    """Ratings of cases, by raters who count."""
    raters: Annotated[int, Field(ge=0)] = 0
    """Raters who count."""
    cases: Annotated[int, Field(ge=0)] = 0
    disqualified: Annotated[int, Field(ge=0)] = 0
    """Raters who answered too many catch pairs wrong: none of their ratings counts."""
    waiting: Annotated[int, Field(ge=0)] = 0
    """Ratings of people who have not answered enough catch pairs yet."""
    elsewhere: Annotated[int, Field(ge=0)] = 0
    """Ratings of a comparison with another release than the one that is compared with now: they say nothing of it."""
    closed: bool = False
    """Nobody rates any more."""
    agreement: Annotated[float, Field(le=1, allow_inf_nan=False)] | None = None
    """Krippendorff's alpha; ``None``: there is nothing to agree on."""
