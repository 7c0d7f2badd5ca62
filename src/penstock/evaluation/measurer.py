"""What a family does to measure answers; the engine does the rest: calls, reasons, lines, threads, files."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from penstock.bundle.models import Invocation, Measurement, Resamples
from penstock.contract.models import Case
from penstock.contract.placeholders import Scalar
from penstock.families.registry import find_metric
from penstock.foundation.errors import one_line

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from penstock.evaluation.networks import Networks

Value = float | str
"""A value, or the reason why there is none."""


@dataclass
class Answer:
    """What was measured of one case."""

    values: dict[str, Value] = field(default_factory=dict)
    """Metric → value or reason, of the family's metrics that have a value a case."""
    floors: dict[str, float] = field(default_factory=dict)
    """Metric → how far apart the case's own references are by it, where there are several: at least 0."""
    series: dict[str, Any] | None = None
    """Values over time for the report, as JSON; ``None``: there are none."""
    why: dict[str, str] = field(default_factory=dict)
    """Metric → why its value is what it is, where that is not plain: which rule an answer breaks."""
    features: Any = None
    """What the measurer keeps of the answer for the metrics of the whole suite; ``None``: the case failed. It may come
    from another process, so that it must be something that can be pickled: numbers, arrays, plain objects."""


class Measurer(Protocol):
    """A family's part in *measure*. One serves all cases, several at a time.

    With networks from several threads, without any from several processes (``docs/adr/0025-workers.md``): what
    :meth:`case` changes in the measurer may be lost, and what :meth:`suite` needs goes into :attr:`Answer.features`.
    """

    def __init__(self, networks: Networks, reference: Iterable[npt.NDArray[np.uint8]] | None) -> None:
        """Start.

        Args:
            networks: role → network, of the roles that the contract fills.
            reference: pictures that the suite names as its reference, uint8 (H, W, 3) BGR; ``None``: it names none.
        """

    def case(
        self,
        case: Case,
        call: Invocation,
        outputs: Mapping[str, Path],
        inputs: Mapping[str, Path],
        given: Mapping[str, Scalar],
        withheld: Mapping[str, tuple[Path, ...]],
    ) -> Answer:
        """Measure an answer. It is not trusted: what is wrong with it is a reason in the place of a value.

        Args:
            case: of the family's own class.
            call: an invocation that was ``ok``.
            outputs: name of a call → the file that came back; the one call of a case has no name: ``""``.
            inputs: input name → file.
            given: the case's parameters, with the contract's defaults.
            withheld: field of the case → the files that it names and that the model did not get.
        """

    def suite(self, cases: Sequence[Case], answers: Sequence[Answer]) -> Iterator[Measurement]:
        """The metrics that have one value for all cases, and those ``across_cases``; a case without features failed."""


class SlicingMeasurer(Measurer, Protocol):
    """The measurer of a family some of whose metrics of the whole suite are taken of each slice, too (``by_slice``)."""

    def slice_suite(self, name: str, cases: Sequence[Case], answers: Sequence[Answer]) -> Iterator[Measurement]:
        """These metrics over the cases of a slice as a whole, each a line as :meth:`suite` gives it.

        Args:
            name: of the slice: at least one case carries it.
            cases: all of the suite, so that what is compared with the others can be; :func:`cases_of` has the slice's.
            answers: one a case.
        """


class ComparingMeasurer(Measurer, Protocol):
    """The measurer of a family some of whose metrics compare with the released model's answers (``needs_released``).

    Those answers went through :meth:`case` as the candidate's did. Before the first release, nothing here is called:
    the engine says that these metrics do not apply (``docs/adr/0032-faces-and-released-answers.md``).
    """

    def compare(self, case: Case, answer: Answer, released: Answer) -> Mapping[str, Value]:
        """Compare two answers to one case: metric → value or reason. It may run in a process of its own.

        Args:
            case: of the family's own class.
            answer: the candidate's, with features. Where it has none, its own ``values`` hold the reason.
            released: the released model's, with features. Where it has none, the metrics do not apply to the case.
        """

    def compare_suite(
        self, cases: Sequence[Case], answers: Sequence[Answer], released: Sequence[Answer]
    ) -> Iterator[Measurement]:
        """The metrics that compare all cases at once; an answer of either side without features failed."""


def cases_of(name: str, cases: Sequence[Case], answers: Sequence[Answer]) -> tuple[list[Case], list[Answer]]:
    """The cases that carry a slice, with their answers."""
    both = [(case, answer) for case, answer in zip(cases, answers, strict=True) if name in case.slices]
    return [case for case, _ in both], [answer for _, answer in both]


def measurement(
    case: str,
    metric: str,
    value: Value,
    *,
    slices: list[str] | None = None,
    extractor: str | None = None,
    resamples: Resamples | None = None,
    floor: float | None = None,
    applies: bool = True,
    why: str | None = None,
) -> Measurement:
    """One line: a value, or the reason why there is none. A value that is not finite is a reason.

    ``why`` says of a value why it is what it is. It and a reason may quote the model: they are made safe to print here.
    """
    reason = value if isinstance(value, str) else None
    if not isinstance(value, str) and not -float("inf") < value < float("inf"):
        reason = f"the value is {value}, not a finite number"
    said = reason or why
    known = find_metric(metric)
    return Measurement(
        case=case,
        metric=metric,
        value=None if reason is not None or isinstance(value, str) else float(value),
        unit=known.unit if known is not None else "",
        slices=slices or [],
        extractor=extractor,
        error=one_line(said) if said is not None else None,
        resamples=resamples,
        floor=floor,
        applies=applies,
    )
