"""Before and after by slice: of each slice a handful of cases as small pairs, the worst change first."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from penstock.report.cases import CaseRow
from penstock.report.stills import Thumb

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
    """What became of its telling metric; empty: none is worse."""
    before: Thumb
    after: Thumb


@dataclass(frozen=True)
class Scene:
    """One slice."""

    name: str
    cases: int
    pairs: list[ScenePair]


def scene_cases(cases: Sequence[CaseRow], both: Iterable[str]) -> dict[str, list[str]]:
    """Slice → its worst cases, of the largest slices, by name.

    Args:
        cases: the page's, worst first.
        both: names of those that have a picture on both sides.
    """
    there = set(both)
    found: dict[str, list[str]] = {}
    for case in cases:
        for name in case.slices if case.name in there else ():
            found.setdefault(name, []).append(case.name)
    largest = sorted(found, key=lambda name: (-len(found[name]), name))[:SCENE_SLICES]
    return {name: found[name][:SCENE_PAIRS] for name in sorted(largest)}


def scenes(
    chosen: Mapping[str, Sequence[str]], cases: Sequence[CaseRow], thumbs: Mapping[str, Mapping[str, Thumb]]
) -> list[Scene]:
    """The slices with their pairs; a case of which a side could not be drawn is left out.

    Args:
        chosen: see :func:`scene_cases`.
        cases: the page's, worst first.
        thumbs: case → side → its thumbnail.
    """
    places = {case.name: place for place, case in enumerate(cases)}
    sizes = {name: sum(name in case.slices for case in cases) for name in chosen}
    found = [
        Scene(
            name,
            sizes[name],
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
    """``MAE 0.004 → 0.020``."""
    telling = case.number_of(case.telling)
    if telling is None or not telling.change:
        return ""
    return f"{telling.title} {telling.baseline} → {telling.candidate}"
