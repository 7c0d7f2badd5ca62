"""Recognition: what is measured of one answer, JSON, and of all of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from penstock.bundle.models import Invocation, Measurement
from penstock.contract.models import Case
from penstock.contract.placeholders import Scalar
from penstock.evaluation.answer_schema import answer_schema, schema_breaks
from penstock.evaluation.measurer import Answer, Value, cases_of
from penstock.evaluation.networks import Networks
from penstock.families.recognition.answer_file import (
    FoundObject,
    NotAnAnswerError,
    RecognitionAnswer,
    Unusable,
    read_answer,
    surest_by_label,
)
from penstock.families.recognition.case import LABEL_METRICS, RecognitionCase, WantedDescription
from penstock.families.recognition.features import CaseFeatures
from penstock.families.recognition.fitting_files import synonyms_of
from penstock.families.recognition.metrics import METRICS
from penstock.families.recognition.suite_values import suite_values
from penstock.families.recognition.synonyms import Synonyms
from penstock.media.images import read_image
from penstock.metrics.calibration import brier_score
from penstock.metrics.detection import PictureBoxes
from penstock.metrics.label_sets import score_labels
from penstock.metrics.recognition_text import character_error_rate, has_phrase, plain

BY_CASE = tuple(metric.name for metric in METRICS if not metric.whole_suite)
MAX_NAMED = 5
MAX_READ = 60
"""Characters of a text that a reason shows."""


class RecognitionMeasurer:
    """Measures what was recognised, see :class:`penstock.evaluation.measurer.Measurer`."""

    def __init__(self, networks: Networks, reference: Iterable[Any] | None) -> None:
        """There is nothing to load."""

    def case(
        self,
        case: Case,
        call: Invocation,  # noqa: ARG002
        outputs: Mapping[str, Path],
        inputs: Mapping[str, Path],
        given: Mapping[str, Scalar],  # noqa: ARG002
        withheld: Mapping[str, tuple[Path, ...]],
    ) -> Answer:
        """Measure an answer by what the case says of its picture."""
        if not isinstance(case, RecognitionCase):
            raise TypeError(f"a {type(case).__name__} is not a case of recognition")
        if len(outputs) != 1:
            return Answer(dict.fromkeys(BY_CASE, "the case has several calls, and a recognition is one answer"))
        size = None
        if "image" in inputs:
            height, width = read_image(inputs["image"]).shape[:2]
            size = width, height
        try:
            answer = read_answer(next(iter(outputs.values())), size)
        except NotAnAnswerError as error:
            return Answer(dict.fromkeys(BY_CASE, error.what))
        return examine(case, answer, synonyms_of(case, withheld))

    def suite(self, cases: Sequence[Case], answers: Sequence[Answer]) -> Iterator[Measurement]:
        """mAP, calibration, risk over coverage: of the cases that name labels."""
        asking = {
            case.name: answer.features
            for case, answer in zip(cases, answers, strict=True)
            if isinstance(case, RecognitionCase) and case.true_labels is not None
        }
        yield from suite_values(list(asking), list(asking.values()))

    def slice_suite(self, name: str, cases: Sequence[Case], answers: Sequence[Answer]) -> Iterator[Measurement]:
        """The same of the cases of one slice."""
        yield from self.suite(*cases_of(name, cases, answers))

    def compare(self, case: Case, answer: Answer, released: Answer) -> Mapping[str, Value]:  # noqa: ARG002
        """Nothing is compared case by case."""
        return {}

    def compare_suite(
        self,
        cases: Sequence[Case],  # noqa: ARG002 (a schema is of all answers)
        answers: Sequence[Answer],
        released: Sequence[Answer],
    ) -> Iterator[Measurement]:
        """The schema of the answers against that of the released model's."""
        both = [(ours.features, theirs.features) for ours, theirs in zip(answers, released, strict=True)]
        kept = [(ours, theirs) for ours, theirs in both if theirs is not None]
        yield schema_breaks(
            [theirs.schema for _, theirs in kept], [ours.schema if ours is not None else None for ours, _ in kept]
        )


def examine(case: RecognitionCase, answer: RecognitionAnswer, synonyms: Synonyms) -> Answer:
    """Measure an answer: each part by what the case says of it."""
    measured = Answer()
    schema = answer_schema(answer.content)
    truth = case.true_labels
    if truth is None:
        measured.features = CaseFeatures(schema)
    elif isinstance(answer.objects, Unusable):
        measured.values |= dict.fromkeys(LABEL_METRICS, answer.objects.reason)
        measured.features = CaseFeatures(schema, fault=answer.objects.reason)
    else:
        found = surest_by_label(answer.objects, synonyms)
        true = {*map(synonyms.meaning, truth)}
        _examine_labels(found, true, measured)
        if synonyms.stated:
            _state(synonyms, answer.objects, measured)
        measured.features = CaseFeatures(
            schema,
            confidence=tuple(found.values()),
            correct=tuple(label in true for label in found),
            surest=_surest(found, true) if true else None,
            boxes=_boxes(case, answer.objects, synonyms) if case.has_boxes else None,
        )
    if case.description is not None:
        _examine_description(case.description, answer.description, measured)
    if case.text is not None:
        _examine_text(case.text, answer.text, measured)
    return measured


def _examine_labels(found: Mapping[str, float], truth: set[str], measured: Answer) -> None:
    """Compare the labels; a Brier score is over those that were found and those that were missed."""
    scores = score_labels(found.keys(), truth)
    either = sorted(found.keys() | truth)
    sure, there = np.array([found.get(label, 0.0) for label in either]), np.array([label in truth for label in either])
    measured.values |= {
        "label_precision": scores.precision,
        "label_recall": scores.recall,
        "label_f1": scores.f1,
        "top1": 1.0 - _surest(found, truth)[1],
        "brier": brier_score(sure, there) if either else 0.0,
    }
    missed, wrong = sorted(truth - found.keys()), [label for label in found if label not in truth]
    _remark(measured, "label_f1", {"missed": missed, "not there": wrong})


def _state(synonyms: Synonyms, objects: Sequence[FoundObject], measured: Answer) -> None:
    """Say beside the value which labels count as true by their vectors, and what made these."""
    counted = synonyms.counted(each.label for each in objects)
    more = f" and {len(counted) - MAX_NAMED} more" if len(counted) > MAX_NAMED else ""
    said = [measured.why.get("label_f1", ""), ", ".join(counted[:MAX_NAMED]) + more, f"likeness: {synonyms.stated}"]
    measured.why["label_f1"] = "; ".join(filter(None, said))


def _surest(found: Mapping[str, float], truth: set[str]) -> tuple[float, float]:
    """How sure the answer is of its surest label, and whether that is wrong; one that found nothing is not sure."""
    label, confidence = next(iter(found.items()), ("", 0.0))
    return confidence, float(label not in truth)


def _boxes(case: RecognitionCase, objects: Sequence[FoundObject], synonyms: Synonyms) -> PictureBoxes | str:
    for number, each in enumerate(objects):
        if each.box is None:
            return f"objects[{number}] has no 'box'"
    true = case.objects or []
    return PictureBoxes(
        tuple(synonyms.meaning(each.label) for each in objects),
        np.array([each.box for each in objects], np.float64).reshape(-1, 4),
        np.array([each.confidence for each in objects], np.float64),
        tuple(synonyms.meaning(each.label) for each in true),
        np.array([each.box for each in true], np.float64).reshape(-1, 4),
    )


def _examine_description(wanted: WantedDescription, found: str | Unusable, measured: Answer) -> None:
    """The share of the required phrases; nothing where a forbidden one is there."""
    if isinstance(found, Unusable):
        measured.values["phrases"] = found.reason
        return
    missing = [phrase for phrase in wanted.required if not has_phrase(found, phrase)]
    wrong = [phrase for phrase in wanted.forbidden if has_phrase(found, phrase)]
    share = 1 - len(missing) / len(wanted.required) if wanted.required else 1.0
    measured.values["phrases"] = 0.0 if wrong else share
    _remark(measured, "phrases", {"forbidden": wrong, "missing": missing})


def _examine_text(truth: str, found: str | Unusable, measured: Answer) -> None:
    """The error rate; beside it what was read, where that is something else."""
    if isinstance(found, Unusable):
        measured.values["cer"] = found.reason
        return
    measured.values["cer"] = rate = character_error_rate(found, truth)
    if rate:
        read, wanted = (plain(text[: 2 * MAX_READ]) for text in (found, truth))
        measured.why["cer"] = f"read '{read[:MAX_READ]}' where '{wanted[:MAX_READ]}' is"


def _remark(measured: Answer, metric: str, named: Mapping[str, Sequence[str]]) -> None:
    parts = []
    for what, names in named.items():
        if names:
            more = f" and {len(names) - MAX_NAMED} more" if len(names) > MAX_NAMED else ""
            parts.append(f"{what}: {', '.join(names[:MAX_NAMED])}{more}")
    if parts:
        measured.why[metric] = "; ".join(parts)
