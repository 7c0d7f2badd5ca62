"""Cut-outs: what is measured of one answer, a PNG or a clip with alpha."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from penstock.bundle.models import Invocation, Measurement
from penstock.contract.models import Case
from penstock.contract.placeholders import Scalar
from penstock.evaluation.measurer import Answer, Value
from penstock.evaluation.networks import Networks
from penstock.families.matting.answer_file import AnswerFile, NoAnswerError, read_answer
from penstock.families.matting.answer_size import size_fault
from penstock.families.matting.case import NO_MOTION
from penstock.families.matting.clip_values import DTSSD, examine_clip
from penstock.families.matting.edge_series import edge_series
from penstock.families.matting.files_of_case import CaseTruth, read_known
from penstock.families.matting.matte_pair import FRINGE, score_fringe, score_pair
from penstock.families.matting.metrics import METRICS

NAMES = tuple(metric.name for metric in METRICS)


class MattingMeasurer:
    """Measures cut-outs, see :class:`penstock.evaluation.measurer.Measurer`."""

    def __init__(self, networks: Networks, reference: Iterable[Any] | None) -> None:
        """There is nothing to load."""

    def case(
        self,
        case: Case,  # noqa: ARG002 (all that counts of it are its files)
        call: Invocation,  # noqa: ARG002
        outputs: Mapping[str, Path],
        inputs: Mapping[str, Path],
        given: Mapping[str, Scalar],
        withheld: Mapping[str, tuple[Path, ...]],
    ) -> Answer:
        """Measure a cut-out against every truth of the case."""
        if "" not in outputs:
            return _nothing("the case has several calls, and a cut-out is one picture or clip")
        if "video" in inputs:
            return examine_clip(outputs[""], withheld, given)
        return examine(outputs[""], withheld, given)

    def suite(self, cases: Sequence[Case], answers: Sequence[Answer]) -> Iterator[Measurement]:  # noqa: ARG002
        """No metric is about the whole suite."""
        yield from ()


def examine(file: Path, files: Mapping[str, tuple[Path, ...]], given: Mapping[str, Scalar]) -> Answer:
    """Measure the answer to one case. It is not trusted: what is wrong with it is a reason, not an exception.

    Values are means over the truths; a floor is the truths' mean distance from each other, over all ordered pairs.

    Args:
        file: what came back.
        files: ``truth``, ``trimap``, ``foreground`` → the files that the case compares with.
        given: the case's parameters.

    Raises:
        UsageError: the case's own files or parameters are wrong.
    """
    known = read_known(files)
    try:
        answer = read_answer(file, given)
    except NoAnswerError as error:
        return _nothing(error.what)
    height, width = answer.alpha.shape
    if (fault := size_fault((width, height), known.size, given)) is not None:
        return _nothing(fault)
    known = known.scaled((width, height))
    return Answer(_values(answer, known), _floors(known), edge_series(answer.alpha, known.truths[0]))


def _values(answer: AnswerFile, known: CaseTruth) -> dict[str, Value]:
    found: dict[str, list[Value]] = defaultdict(list)
    for truth in known.truths:
        for name, value in score_pair(answer.alpha, truth, known.unknown).items():
            found[name].append(value)
        found[FRINGE].append(score_fringe(answer.rgba, known.foreground, truth))
    return {name: _mean(values) for name, values in found.items()} | {DTSSD: NO_MOTION}


def _mean(values: Sequence[Value]) -> Value:
    """The mean, or the first reason: one that leaves a truth out would flatter."""
    numbers = [value for value in values if not isinstance(value, str)]
    reasons = [value for value in values if isinstance(value, str)]
    return reasons[0] if reasons else math.fsum(numbers) / len(numbers)


def _floors(known: CaseTruth) -> dict[str, float]:
    """Metric → how far apart the truths are; nothing where there is one, or where two cannot be compared.

    A distance is what one truth lacks, as an answer to another, of what that one has as an answer to itself: some
    metrics call no soft matte perfect.
    """
    found: dict[str, list[Value]] = defaultdict(list)
    for number, truth in enumerate(known.truths):
        others = [*known.truths[:number], *known.truths[number + 1 :]]
        perfect = score_pair(truth, truth, known.unknown) if others else {}
        for other in others:
            for name, value in score_pair(other, truth, known.unknown).items():
                found[name].append(_apart(value, perfect[name]))
    means = {name: _mean(values) for name, values in found.items()}
    return {name: value for name, value in means.items() if not isinstance(value, str)}


def _apart(value: Value, perfect: Value) -> Value:
    if isinstance(value, str) or isinstance(perfect, str):
        return value if isinstance(value, str) else perfect
    return abs(value - perfect)


def _nothing(reason: str) -> Answer:
    return Answer(dict.fromkeys(NAMES, reason))
