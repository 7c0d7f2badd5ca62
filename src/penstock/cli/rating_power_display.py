"""What ``penstock suite power`` says of rules about people's ratings."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from penstock.ratings.power import Chances, RatingPower

HEADS = (
    *("rule", "cases", "ratings", "equal: passes", "is stopped", "by the share alone", "at the minimum: passes"),
    *("worse: is stopped", "takes"),
)
RATING_WORDS = (
    "Two figures: nobody leans, and nobody says 'the same' / raters and cases lean a little, and 30 % say it. 'takes': "
    "ratings of these cases with which an equal model passes and a worse one is stopped; none: take more cases."
)


def rating_rows(found: Iterable[RatingPower]) -> list[tuple[str, ...]]:
    """A table: its heads, and a row for each rule."""
    return [HEADS, *(_row(one) for one in found)]


def _row(found: RatingPower) -> tuple[str, ...]:
    rule = found.rule
    name = f"{rule.metric} >= {found.minimum:g}" + (f" of {rule.slice}" if rule.slice is not None else "")
    if not found.ways:
        return name, "0", str(rule.ratings_wanted), *[""] * 5, "no case"
    takes = ["none" if way.takes is None else str(way.takes) for way in found.ways]
    return (
        name,
        str(found.cases),
        f"{found.ratings} by {found.raters}",
        _shares(way.equal.passes for way in found.ways),
        _shares(way.equal.fails for way in found.ways),
        _shares(way.equal.below for way in found.ways),
        _shares(way.at_bound.passes for way in found.ways),
        f"{_shares(way.worse.fails for way in found.ways)} (at {found.worse:.2g})",
        " / ".join(takes) if len(set(takes)) > 1 else takes[0],
    )


def _shares(shares: Iterable[float]) -> str:
    return " / ".join(f"{100 * share:.0f}" for share in shares) + " %"


def power_as_json(found: RatingPower) -> dict[str, Any]:
    """The same for a program; every chance is 0 to 1."""
    return {
        "rule": found.place,
        "metric": found.rule.metric,
        "slice": found.rule.slice,
        "severity": found.rule.severity,
        "cases": found.cases,
        "minimum": found.minimum,
        "ratings": found.ratings,
        "raters": found.raters,
        "worse": found.worse,
        "ways": [
            {
                "same": way.way.same,
                "spread": way.way.spread,
                "equal": _chances(way.equal),
                "at_minimum": _chances(way.at_bound),
                "worse": _chances(way.worse),
                "needed": way.takes,
            }
            for way in found.ways
        ],
    }


def _chances(found: Chances) -> dict[str, float]:
    words: Sequence[tuple[str, float]] = (
        ("pass", found.passes),
        ("inconclusive", found.inconclusive),
        ("fail", found.fails),
        ("share_below", found.below),
    )
    return dict(words)
