"""What a family of models says of itself, so that nothing else needs to know it.

Only the standard library is imported here, and only this by a family's table: what is heavy or stands above the
contract is named as ``module:name`` and loaded where it is used.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from penstock.foundation.media_kinds import EVERY_KIND, Kind
from penstock.foundation.references import Reference

Direction = Literal["lower", "higher"]


@dataclass(frozen=True)
class Metric:
    """A metric that Penstock knows. Others can be gated as well; their direction then stands in the policy's rule.

    Attributes:
        name: as measurements and rules name it.
        title: as people read it.
        unit: of the values; empty where there is none.
        direction: the way that is better; ``None`` marks a value that is shown, never ranked (a signed offset).
        digits: how many decimals a person wants to see.
        meaning: the glossary's sentence, for people who do not know the metric.
        role: the network that it looks through: one of the family's roles, or ``None``.
        whole_suite: it has one value for all cases together.
        by_slice: of such a metric: it has one for the cases of each slice, too, which the measurer's ``slice_suite``
            gives. What has a value a case has slices without it.
        across_cases: a case's value depends on the answers to other cases, too: the measurer's ``suite`` gives it.
        needs_reference: it compares with the suite's ``reference``.
        needs_released: it compares with what the released model answered to the same cases; before the first release it
            applies to nothing. Its values are changes already, so that no margin is held on it.
        timed: it measures the machine as well as the model: whatever else runs there moves it.
        near_zero: good models lie near 0, so that a margin as a share of the value means nothing.
        instead: a metric of the same role that few cases do not bias, as they bias this one.
        share: its values are shares of something, 0 to 1: people give their changes in percentage points.
        quantile: it is this quantile of many values (0.95), of which an upper bound is known.
        over: what its value is taken over, one of them: more of these settle what is open.
    """

    name: str
    title: str
    unit: str
    direction: Direction | None
    digits: int
    meaning: str
    role: str | None = None
    whole_suite: bool = False
    by_slice: bool = False
    across_cases: bool = False
    needs_reference: bool = False
    needs_released: bool = False
    timed: bool = False
    near_zero: bool = False
    instead: str | None = None
    share: bool = False
    quantile: float | None = None
    over: str = "case"


@dataclass(frozen=True)
class Role:
    """A network that metrics look through.

    Attributes:
        loader: a function ``(path, threads=…, arithmetic=…)`` that opens the file; what it returns has a ``label``.
        stand_in: name of the network that comes with Penstock in place of the published one.
    """

    loader: Reference
    stand_in: str


@dataclass(frozen=True)
class Preset:
    """The interface of a known system: the part of the contract's ``call`` that it fills, and of its ``page``."""

    http: Mapping[str, Any]
    parameters: Mapping[str, Any] = field(default_factory=dict)
    page: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Filled:
    """A parameter that a case need not give, because one of its inputs says it (``duration``: as long as the audio).

    Attributes:
        input: the input that says it.
        finder: a function ``(file: Path) -> float``, which may raise ``UsageError``. *plan* calls it.
    """

    input: str
    finder: Reference


@dataclass(frozen=True)
class Lane:
    """A line below the report's videos: one of the measurer's series, a value a frame; lower is better.

    Attributes:
        name: as buttons name it: ``worst NAME``; letters only.
        title: as the lane and the readout name it.
        series: the key in :attr:`penstock.evaluation.measurer.Answer.series`.
        key: the letter on the keyboard that goes to the next of its worst moments.
        worst: what these moments are, for the button's hint.
        window: how many frames a value is of; it stands at their middle.
    """

    name: str
    title: str
    series: str
    key: str
    worst: str
    window: int = 1


@dataclass(frozen=True)
class Closeup:
    """A part of the picture that the report shows enlarged.

    Attributes:
        name: of the part: ``mouth``.
        series: the key of a box (x, y, width, height as shares of the picture) in the measurer's series.
        across, down: the middle of what is shown, as shares of that box.
        width: of what is shown, as a share of the box's.
        otherwise: middle (x, y) and width, as shares of the picture, where there is no box.
    """

    name: str
    series: str
    across: float
    down: float
    width: float
    otherwise: tuple[float, float, float]


@dataclass(frozen=True)
class Still:
    """One still picture that the report shows: of the case itself, or of each side's answer.

    Attributes:
        name: lower-case letters; the painter's name of it.
        title: as captions name it.
        meaning: what is to be seen in it, where that is not plain: one line.
        photo: it is a photograph: kept as JPEG, the others as PNG.
        see_through: it is transparent in part, and is laid over the background that the reader chooses.
        over: the picture of the case over which it lies: it has none of its own, the painter gives
            :class:`penstock.report.still_pictures.Marks` for it. Empty: it is a picture.
    """

    name: str
    title: str
    meaning: str = ""
    photo: bool = False
    see_through: bool = False
    over: str = ""


@dataclass(frozen=True)
class Stills:
    """The report's view of a family whose answers are pictures.

    Attributes:
        of_case: pictures of the case, the same for both sides: what the model was given, what is true.
        of_answer: pictures of each side's answer; the first one is shown first.
        painter: a function ``(files, answers) -> CaseStills``, see :mod:`penstock.report.still_pictures`.
        worst: what the places are that it finds, for the button that goes there: ``worst edge``.
    """

    of_case: tuple[Still, ...]
    of_answer: tuple[Still, ...]
    painter: Reference
    worst: str


@dataclass(frozen=True)
class View:
    """What the report shows of a family.

    Attributes:
        lanes: of a case whose answers are videos.
        closeup: of such a case, too.
        stills: of a case whose answers are pictures.
        slice_metrics: the columns of the table of slices, the most important first: the first 6 that have values; by
            default the metrics that rules name.
    """

    lanes: tuple[Lane, ...] = ()
    closeup: Closeup | None = None
    stills: Stills | None = None
    slice_metrics: tuple[str, ...] = ()


@dataclass(frozen=True)
class Agreement:
    """How two answers to one case are compared: of a model with its trained weights, and of the same model exported.

    Attributes:
        limits: value → the largest that is allowed where the contract says nothing, in the order of reading; a value is
            0 where the two are the same.
        compare: a function ``(trained, exported, given) -> dict[str, float]`` with a value for each of the limits. The
            first two map the name of each call of the case to what came back; ``given`` are the case's parameters. It
            raises ``UsageError`` where the two cannot be compared.
    """

    limits: Mapping[str, float]
    compare: Reference


@dataclass(frozen=True)
class Template:
    """What ``penstock init`` writes: texts for ``str.format`` with ``name``, ``family``, ``suite`` and ``sha256``."""

    contract: str
    suite: str


@dataclass(frozen=True)
class Family:
    """One kind of models.

    Attributes:
        name: as contracts and suites name it.
        description: one line for ``penstock families``.
        inputs: what each named input of a case must be; others may be anything that is read.
        answers: media types that an answer may have.
        presets: interface of a known system → what it fills.
        roles: networks that its metrics look through.
        metrics: what is measured of an answer, in the order in which people want to see it.
        filled: parameter → the input that says it where the case does not.
        template: what ``penstock init`` writes.
        case: class of a case with the family's own fields, a subclass of :class:`penstock.contract.models.Case`.
        check: a function ``(case, inputs, withheld) -> None`` that raises ``UsageError`` where a case's files do not
            fit together, such as pictures of different sizes. *plan* calls it; ``None``: there is nothing to look for.
        measurer: what measures answers, see :class:`penstock.evaluation.measurer.Measurer`.
        commands: ``penstock score NAME`` → the function that does it.
        view: what the report shows of a case beside its pictures or videos.
        figures: a function ``(cases, answers, released) -> Iterable[Figure]`` with what the report draws of the suite
            as a whole, see :mod:`penstock.bundle.figures_record`. *measure* calls it, with the measurer's answers;
            ``None``: nothing.
        agreement: how an exported model is compared with its trained weights; ``None``: this family's are not.
        unmeasurable: a function ``(metric, slice, cases) -> str``: why a metric of the whole suite, or of a slice
            (``None``: of all), can have no value whatever the answers are; empty where it can. ``penstock check`` calls
            it with all cases that must be answered, and it imports nothing heavy. ``None``: nothing can be said.
    """

    name: str
    description: str
    inputs: Mapping[str, tuple[Kind, ...]]
    answers: tuple[str, ...]
    metrics: tuple[Metric, ...]
    template: Template
    case: Reference
    measurer: Reference
    presets: Mapping[str, Preset] = field(default_factory=dict)
    roles: Mapping[str, Role] = field(default_factory=dict)
    filled: Mapping[str, Filled] = field(default_factory=dict)
    check: Reference | None = None
    commands: Mapping[str, Reference] = field(default_factory=dict)
    view: View = field(default_factory=View)
    figures: Reference | None = None
    agreement: Agreement | None = None
    unmeasurable: Reference | None = None

    @property
    def compares_released(self) -> bool:
        """Whether any of its metrics compares with the released model's answers."""
        return any(metric.needs_released for metric in self.metrics)

    def kinds_of(self, name: str) -> tuple[Kind, ...]:
        """What the input ``name`` may be."""
        return self.inputs.get(name, EVERY_KIND)
