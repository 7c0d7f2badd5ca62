"""``figures.json``: curves, histograms, matrices and pairs of pictures about the whole suite, for the report to draw.

*measure* has all answers at hand at once and writes what a drawing needs of them, some kilobytes, however many they
are. The report draws a figure of the candidate over the one of the same name in the baseline's bundle.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from penstock.bundle.directory import Bundle, read_model
from penstock.bundle.models import SCHEMA_VERSION
from penstock.bundle.record import Record
from penstock.foundation.files import write_text

FIGURES_FILE = "figures.json"
MAX_POINTS = 2000
MAX_GROUPS = 16
MAX_BINS = 200
MAX_SIDE = 30
"""Of a matrix."""
MAX_PAIRS = 24
LEAST_RANGE = 1e-6
"""Of an axis."""
Finite = Annotated[float, Field(allow_inf_nan=False, ge=-1e9, le=1e9)]
Text = Annotated[str, Field(max_length=400)]
Scale = Literal["linear", "probit"]
"""How an axis runs; on a probit axis, whose values are shares, the error rates of two normal distributions make a
straight line, and small rates have room."""


class Axis(Record):
    """What is drawn along a side."""

    title: Text
    scale: Scale = "linear"
    low: Finite = 0.0
    high: Finite = 1.0
    fit: bool = False
    """It ends where the values do, not at ``high``."""

    @model_validator(mode="after")
    def _goes_somewhere(self) -> Axis:
        if self.high - self.low < LEAST_RANGE:
            raise ValueError("an axis must end above where it begins")
        if self.scale == "probit" and not 0 < self.low < self.high < 1:
            raise ValueError("a probit axis lies between 0 and 1")
        return self


class Mark(Record):
    """A point of a curve at which a metric is taken."""

    metric: Text
    """Its name: the report shows the marks of metrics that have a rule."""
    title: Text
    x: Finite
    y: Finite


class CurveFigure(Record):
    """A line."""

    kind: Literal["curve"] = "curve"
    name: Text
    title: Text
    note: Text = ""
    """What is to be seen in it."""
    x: Axis
    y: Axis
    points: list[tuple[Finite, Finite]] = Field(max_length=MAX_POINTS)
    """In the order in which they are joined."""
    steps: bool = False
    """A value holds up to the next: the line is no slope."""
    weights: list[Finite] = Field(default_factory=list, max_length=MAX_POINTS)
    """How much each point stands for; it is drawn as a dot the larger, the more. Empty: there are no dots."""
    diagonal: bool = False
    """The line where both axes say the same is drawn."""
    marks: list[Mark] = Field(default_factory=list, max_length=MAX_GROUPS)


class Group(Record):
    """A row of a histogram."""

    name: Text
    counts: list[Annotated[int, Field(ge=0, le=10**12)]] = Field(max_length=MAX_BINS)


class Limit(Record):
    """A line across all rows of a histogram."""

    title: Text
    x: Finite


class HistogramFigure(Record):
    """How values are distributed, a row for each kind; all rows have the same bins of equal width."""

    kind: Literal["histogram"] = "histogram"
    name: Text
    title: Text
    note: Text = ""
    x: Axis
    groups: list[Group] = Field(max_length=MAX_GROUPS)
    limits: list[Limit] = Field(default_factory=list, max_length=MAX_GROUPS)


class MatrixFigure(Record):
    """A value for each row and column."""

    kind: Literal["matrix"] = "matrix"
    name: Text
    title: Text
    note: Text = ""
    rows: list[Text] = Field(max_length=MAX_SIDE)
    columns: list[Text] = Field(max_length=MAX_SIDE)
    values: list[Annotated[list[Finite | None], Field(max_length=MAX_SIDE)]] = Field(max_length=MAX_SIDE)
    wrong: list[tuple[int, int]] = Field(default_factory=list, max_length=MAX_SIDE * MAX_SIDE)
    """Row and column of the values that should not be what they are."""


class PairSide(Record):
    """A picture of a pair: a case's input."""

    case: Text
    input: Text
    who: Text = ""
    """Who or what is on it."""


class PicturePair(Record):
    """Two pictures, what was said of them, and what was to be said."""

    first: PairSide
    second: PairSide
    expected: Text
    said: Text
    """By the candidate."""
    released: Text = ""
    """By the released model, where it ran over the same pictures."""


class PairsFigure(Record):
    """Pairs of pictures, the worst first."""

    kind: Literal["pairs"] = "pairs"
    name: Text
    title: Text
    note: Text = ""
    pairs: list[PicturePair] = Field(max_length=MAX_PAIRS)


Figure = CurveFigure | HistogramFigure | MatrixFigure | PairsFigure


class Figures(Record):
    """All figures of a run, in the order in which they are shown."""

    schema_version: int = SCHEMA_VERSION
    figures: list[Annotated[Figure, Field(discriminator="kind")]] = Field(default_factory=list, max_length=MAX_GROUPS)
    note: Text = ""
    """Why there are none, where there should be some."""


def write_figures(bundle: Bundle, figures: Figures) -> None:
    """Replace ``figures.json``."""
    write_text(bundle.path / FIGURES_FILE, figures.model_dump_json() + "\n")


def read_figures(bundle: Bundle) -> Figures:
    """The figures of a bundle; none in one of an older version, or of a family without any.

    Raises:
        UsageError: the record is broken.
    """
    file = bundle.path / FIGURES_FILE
    return read_model(file, Figures) if file.exists() else Figures()
