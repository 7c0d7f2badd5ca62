"""What a service does at twice the load that it is made for: it may refuse, it must not die."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from penstock.foundation.errors import WorldError
from penstock.load.arrivals import constant_arrivals
from penstock.load.generator import Generator, GeneratorLimits, OpenLoop
from penstock.load.load_request import Destination, LoadRequest
from penstock.load.summary import LoadSummary, summarise

REFUSALS: Final = ("429", "503")
"""What a service answers that has too much to do."""


@dataclass(frozen=True)
class Overload:
    """The load that it is made for, twice that, and the first again."""

    normal: LoadSummary
    double: LoadSummary | None
    """``None``: no connection could be made any more."""
    after: LoadSummary | None
    """The same."""

    @property
    def refused(self) -> int:
        """How many requests were refused in words at twice the load."""
        return sum(self.double.statuses.get(status, 0) for status in REFUSALS) if self.double else 0

    @property
    def problem(self) -> str:
        """What is wrong with it, in words; empty if nothing is."""
        if not self.normal.good:
            return "it answered nothing at the load that it is made for"
        if self.double is None or self.double.errors_by_kind["refused"]:
            return "at twice the load it took no connections any more"
        if self.after is None or not self.after.good:
            return "after twice the load it answered nothing any more"
        return ""


def put_twice_the_load(
    destinations: Sequence[Destination],
    requests: Sequence[LoadRequest],
    *,
    rate: float,
    seconds: float,
    limits: GeneratorLimits,
) -> Overload:
    """Put the load, twice the load, and the load again, each for so many seconds.

    Raises:
        WorldError: no connection can be made at the beginning.
    """

    def put(factor: float) -> LoadSummary:
        loop = OpenLoop(constant_arrivals(factor * rate, seconds))
        timeline = Generator(destinations, requests, loop, limits).run()
        return summarise(timeline, warm_up_s=0.0, seconds=seconds, timeout_s=limits.timeout_s)

    def put_if_there(factor: float) -> LoadSummary | None:
        try:
            return put(factor)
        except WorldError:
            return None

    return Overload(put(1), put_if_there(2), put_if_there(1))
