"""A metric's course over the last releases, as a small line that ends in the candidate."""

from __future__ import annotations

from dataclasses import dataclass

from penstock.bundle.directory import read_model
from penstock.bundle.metric_history import HISTORY_FILE, History, PastRelease, PastValue
from penstock.foundation.errors import UsageError
from penstock.report.cases import shown
from penstock.report.run_records import Side

WIDTH, HEIGHT = 132.0, 30.0
EDGE = 5.0


@dataclass(frozen=True)
class Point:
    """One release on the line."""

    x: float
    y: float
    comparable: bool
    label: str


@dataclass(frozen=True)
class Trend:
    """The line: pieces between gaps, a dot a release, the candidate's last."""

    pieces: list[str]
    """Each a ``points`` attribute of a polyline."""
    points: list[Point]
    gaps: list[float]
    """Where a release has no value."""
    words: str
    """The same for who does not see it."""


@dataclass(frozen=True)
class Past:
    """The last releases, and what the candidate is compared with them by."""

    history: History
    suite: str
    extractors: dict[str, str | None]
    """Metric → the candidate's extractor."""

    def comparable(self, metric: str, release: PastRelease, value: PastValue) -> bool:
        """Whether a release's mean is over the same cases, through the same extractor."""
        return value.extractor == self.extractors.get(metric) and release.suite == self.suite

    def values(self, metric: str, slice_name: str | None) -> list[tuple[PastRelease, float | None, bool]]:
        """Each release's mean of a metric in a slice, and whether it is comparable."""
        found: list[tuple[PastRelease, float | None, bool]] = []
        for release in self.history.releases:
            value = release.metrics.get(metric)
            if value is None:
                found.append((release, None, True))
                continue
            mean = value.mean if slice_name is None else value.slices.get(slice_name)
            found.append((release, mean, self.comparable(metric, release, value)))
        return found


def past_of(candidate: Side) -> Past | None:
    """What ``history.json`` says; ``None`` if there is none. One that cannot be read is a note."""
    path = candidate.bundle.path / HISTORY_FILE
    if not path.exists():
        return None
    try:
        history = read_model(path, History)
    except UsageError as error:
        history = History(model="", note=f"{HISTORY_FILE}: {error.what}"[:300])
    suite = candidate.run.suite
    extractors = {found.metric: found.extractor for found in candidate.measurements if found.value is not None}
    return Past(history, suite.digest if suite else "", extractors)


def trend(past: Past, metric: str, slice_name: str | None, candidate: float | None) -> Trend | None:
    """The line of one metric; ``None`` if no release has a value."""
    values = past.values(metric, slice_name)
    known = [value for _, value, _ in values if value is not None]
    if not known:
        return None
    ends = [*known, *([candidate] if candidate is not None else [])]
    low, span = min(ends), max(ends) - min(ends)
    step = (WIDTH - 2 * EDGE) / len(values)

    def y(value: float) -> float:
        return round(HEIGHT / 2 if span == 0 else HEIGHT - EDGE - (HEIGHT - 2 * EDGE) * ((value - low) / span), 1)

    points: list[Point] = []
    gaps: list[float] = []
    pieces: list[list[Point]] = [[]]
    for place, (release, value, comparable) in enumerate(values):
        x = round(EDGE + place * step, 1)
        name = release.version or release.run_id
        if value is None:
            gaps.append(x)
            pieces.append([])
            continue
        note = "" if comparable else " (other cases or another extractor)"
        points.append(Point(x, y(value), comparable, f"{name}: {shown(metric, value)}{note}"))
        if not comparable:
            pieces.append([])
        else:
            pieces[-1].append(points[-1])
    if candidate is not None:
        points.append(Point(WIDTH - EDGE, y(candidate), True, f"this run: {shown(metric, candidate)}"))
        pieces[-1].append(points[-1])
    return Trend(
        pieces=[" ".join(f"{point.x},{point.y}" for point in piece) for piece in pieces if len(piece) > 1],
        points=points,
        gaps=gaps,
        words="; ".join(point.label for point in points),
    )
