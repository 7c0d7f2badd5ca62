"""Before and after by slice: of each slice a handful of cases as small pairs, the worst change first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from penstock.report.cases import NO_VALUE, CaseRow
from penstock.report.thumbs import Thumb

SCENE_PAIRS = 4
"""Pairs of a slice."""
SCENE_SLICES = 12
"""Slices that have some, the largest: so many pictures at most are drawn and kept in the page for them."""


@dataclass(frozen=True)
class ScenePair:
    """One case."""

    place: int
    """Among the page's cases, from 0."""
    name: str
    words: str
    """What became of the metric that tells most; empty: no metric that ranks cases has a value."""
    before: Thumb
    after: Thumb


@dataclass(frozen=True)
class Scene:
    """One slice."""

    name: str
    cases: int
    """Of the suite, whether or not they are on the page."""
    pairs: list[ScenePair]


def slice_sizes(ranked: Iterable[CaseRow]) -> Mapping[str, int]:
    """Slice → how many cases of the candidate it has.

    Args:
        ranked: all cases, also those that the page has no room for.
    """
    return Counter(name for case in ranked if case.status != "missing" for name in case.slices)


def scene_cases(cases: Sequence[CaseRow], both: Iterable[str], sizes: Mapping[str, int]) -> dict[str, list[str]]:
    """Slice → the cases that changed for the worse the most, of the largest slices that have a pair, by name.

    Args:
        cases: the page's.
        both: names of those that have a picture on both sides.
        sizes: see :func:`slice_sizes`.
    """
    there = set(both)
    found: dict[str, list[str]] = {}
    # by the change alone: the page's own order also counts bounds, which a better answer may still be beyond
    for case in sorted(cases, key=lambda case: -case.change):
        for name in case.slices if case.name in there else ():
            found.setdefault(name, []).append(case.name)
    largest = sorted(found, key=lambda name: (-sizes.get(name, 0), name))[:SCENE_SLICES]
    return {name: found[name][:SCENE_PAIRS] for name in sorted(largest)}


def scenes(
    chosen: Mapping[str, Sequence[str]],
    cases: Sequence[CaseRow],
    thumbs: Mapping[str, Mapping[str, Thumb]],
    sizes: Mapping[str, int],
) -> list[Scene]:
    """The slices with their pairs; a case of which a side could not be drawn is left out.

    Args:
        chosen: see :func:`scene_cases`.
        cases: the page's, in its order.
        thumbs: case → side → its thumbnail.
        sizes: see :func:`slice_sizes`.
    """
    places = {case.name: place for place, case in enumerate(cases)}
    found = [
        Scene(
            name,
            sizes.get(name, 0),
            [
                ScenePair(places[case], case, _words(cases[places[case]]), both["baseline"], both["candidate"])
                for case in names
                if (both := thumbs.get(case, {})).keys() >= {"baseline", "candidate"}
            ],
        )
        for name, names in chosen.items()
    ]
    return [scene for scene in found if scene.pairs]


def _words(case: CaseRow) -> str:
    """``MAE 0.004 → 0.020``; ``MAE 0.020`` where the baseline has nothing to compare with."""
    telling = case.number_of(case.changed)
    if telling is None:
        return ""
    if telling.baseline == NO_VALUE:
        return f"{telling.title} {telling.candidate}"
    return f"{telling.title} {telling.baseline} → {telling.candidate}"
