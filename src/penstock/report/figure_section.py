"""What the report shows of the suite as a whole: the figures that *measure* has left, over those of the baseline."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from penstock.bundle.directory import Bundle
from penstock.bundle.figures_record import (
    CurveFigure,
    HistogramFigure,
    MatrixFigure,
    PairsFigure,
    PairSide,
    PicturePair,
    read_figures,
)
from penstock.bundle.verdict_record import RuleResult
from penstock.report.case_files import suite_files
from penstock.report.figure_charts import CurveDrawing, HistogramDrawing, draw_curve, draw_histogram

if TYPE_CHECKING:
    from penstock.report.thumbs import Thumb

LEVELS = 8
"""Shades of a matrix."""


@dataclass(frozen=True)
class Cell:
    """A value of a matrix."""

    text: str
    level: int
    """Its shade, from 0."""
    wrong: bool


@dataclass(frozen=True)
class MatrixDrawing:
    """A matrix, for the template. Columns are numbered, since names would not fit above them."""

    title: str
    note: str
    rows: list[tuple[str, list[Cell]]]
    columns: list[str]


@dataclass(frozen=True)
class ShownSide:
    """A picture of a pair."""

    side: PairSide
    place: int | None
    """Of its case among the page's, from 0; ``None``: the page has no room for it."""
    thumb: Thumb | None
    reason: str
    """Why it is not shown."""


@dataclass(frozen=True)
class PairDrawing:
    """Two pictures side by side."""

    pair: PicturePair
    sides: list[ShownSide]


@dataclass(frozen=True)
class PairsDrawing:
    """Pairs of pictures, for the template."""

    title: str
    note: str
    pairs: list[PairDrawing]


@dataclass(frozen=True)
class FigureSection:
    """The section, for the template. What stands side by side is of one kind."""

    note: str
    curves: list[CurveDrawing] = field(default_factory=list)
    histograms: list[HistogramDrawing] = field(default_factory=list)
    pairs: list[PairsDrawing] = field(default_factory=list)
    matrices: list[MatrixDrawing] = field(default_factory=list)
    beside: bool = False
    """The baseline is in the drawings as well."""


def figure_section(
    bundle: Bundle,
    baseline: Bundle | None,
    cases: Sequence[str],
    rules: Mapping[str, RuleResult],
    source: Path | None,
) -> FigureSection | None:
    """The section of a bundle; ``None`` if it has no figures.

    Args:
        bundle: the candidate.
        baseline: what it is compared with, if anything.
        cases: names of the page's, in its order.
        rules: metric → the rule on it for all cases.
        source: the repository with the suite, whose pictures are shown; ``None``: it is not at hand.

    Raises:
        UsageError: a record is broken, or the suite is not valid.
    """
    found = read_figures(bundle)
    if not found.figures and not found.note:
        return None
    before = {figure.name: figure for figure in read_figures(baseline).figures} if baseline is not None else {}
    section = FigureSection(found.note, beside=any(figure.name in before for figure in found.figures))
    places = {name: place for place, name in enumerate(cases)}
    pairs: list[PairsFigure] = []
    for figure in found.figures:
        other = before.get(figure.name)
        if isinstance(figure, CurveFigure):
            same = other if isinstance(other, CurveFigure) else None
            section.curves.append(draw_curve(figure, same, rules))
        elif isinstance(figure, HistogramFigure):
            section.histograms.append(draw_histogram(figure, other if isinstance(other, HistogramFigure) else None))
        elif isinstance(figure, MatrixFigure):
            section.matrices.append(_matrix(figure))
        else:
            pairs.append(figure)
    section.pairs.extend(_pairs(pairs, bundle, source, places))
    return section


def _matrix(figure: MatrixFigure) -> MatrixDrawing:
    wrong = set(figure.wrong)
    known = [value for row in figure.values for value in row if value is not None]
    low, high = min(known, default=0.0), max(known, default=1.0)
    rows = [
        (name, [_cell(value, low, high, (row, column) in wrong) for column, value in enumerate(values)])
        for row, (name, values) in enumerate(zip(figure.rows, figure.values, strict=False))
    ]
    return MatrixDrawing(figure.title, figure.note, rows, figure.columns)


def _cell(value: float | None, low: float, high: float, wrong: bool) -> Cell:
    if value is None:
        return Cell("–", 0, wrong=False)
    level = int((value - low) / (high - low) * LEVELS) if high > low else 0
    text = f"{value:.2f}"
    return Cell(text.replace("0.", ".", 1) if abs(value) < 1 else text, min(LEVELS - 1, level), wrong)


def _pairs(
    figures: Sequence[PairsFigure], bundle: Bundle, source: Path | None, places: Mapping[str, int]
) -> list[PairsDrawing]:
    if not figures:
        return []
    # decoders, which other pages do not need
    from penstock.report.thumbs import input_thumb

    files = suite_files(bundle, source) if source is not None else None
    drawn: dict[tuple[str, str], Thumb | str] = {}

    def shown(side: PairSide) -> ShownSide:
        key = side.case, side.input
        if key not in drawn:
            drawn[key] = input_thumb(files, *key)
        thumb = drawn[key]
        if isinstance(thumb, str):
            return ShownSide(side, places.get(side.case), None, thumb)
        return ShownSide(side, places.get(side.case), thumb, "")

    return [
        PairsDrawing(
            figure.title,
            figure.note,
            [PairDrawing(pair, [shown(pair.first), shown(pair.second)]) for pair in figure.pairs],
        )
        for figure in figures
    ]
