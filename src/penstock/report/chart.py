"""A chart as the template draws it: lines, dots and ticks, at shares of its width and height, in percent.

Letters keep their size whatever the page's width: only what is inside the frame is stretched.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

WIDTH, HEIGHT = 100.0, 100.0


@dataclass(frozen=True)
class Tick:
    """A line across a chart, or a mark below it, with its label."""

    at: float
    label: str


@dataclass(frozen=True)
class Curve:
    """One line."""

    points: str
    """The attribute of a polyline."""
    kind: str
    """``candidate``, ``baseline``, or one of these with ``worst``: the highest of each moment."""


@dataclass(frozen=True)
class Dot:
    """A point that stands out."""

    x: float
    y: float
    radius: float
    """In pixels."""
    kind: str
    """``candidate`` or ``baseline``."""
    label: str = ""


@dataclass(frozen=True)
class Chart:
    """One chart, for the template."""

    title: str
    words: str
    """The same for who does not see it."""
    curves: list[Curve]
    across: list[Tick]
    """Values, at their height."""
    below: list[Tick]
    """Times, shares or numbers of requests, at their place."""
    marks: list[float] = field(default_factory=list)
    """Where a request came to no good answer."""
    dots: list[Dot] = field(default_factory=list)
    along: str = ""
    """What stands below it."""
    upwards: str = ""
    """What stands beside it."""


def place_x(share: float) -> float:
    """From the left."""
    return round(share * WIDTH, 2)


def place_y(share: float) -> float:
    """From the top; the share counts from the bottom."""
    return round(HEIGHT - share * HEIGHT, 2)


def joined(points: Iterable[tuple[float, float]]) -> str:
    """The attribute of a polyline."""
    return " ".join(f"{x:g},{y:g}" for x, y in points)
