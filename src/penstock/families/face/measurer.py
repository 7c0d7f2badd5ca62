"""Faces: what is measured of the answers of ``/feature`` and ``/compare``, and of all of them together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from penstock.bundle.models import WHOLE_SUITE, Invocation, Measurement
from penstock.contract.models import Case
from penstock.contract.placeholders import Scalar
from penstock.evaluation.answer_schema import answer_schema, schema_breaks
from penstock.evaluation.measurer import Answer, Value, cases_of, measurement
from penstock.evaluation.networks import Networks
from penstock.families.engine_metrics import SCHEMA_METRIC
from penstock.families.face.compare_answer import band_fault, read_compare
from penstock.families.face.feature_answer import BadAnswerError, promised_vector, read_answer, read_feature
from penstock.families.face.features import FaceFeatures, PairFeatures
from penstock.families.face.gallery_values import gallery_values
from penstock.families.face.known_people import DIMENSIONS
from penstock.families.face.metrics import OF_A_CASE
from penstock.families.face.ood_values import ood_values
from penstock.families.face.pair_values import pair_values
from penstock.families.face.people_values import people_slice_values, people_values
from penstock.families.face.repeated_images import repeated_values
from penstock.foundation.files import sha256_file
from penstock.metrics.embeddings import drift


class FaceMeasurer:
    """Measures faces, see :class:`penstock.evaluation.measurer.ComparingMeasurer`."""

    def __init__(self, networks: Networks, reference: Iterable[Any] | None) -> None:
        """There is nothing to load."""

    def case(
        self,
        case: Case,  # noqa: ARG002 (what it says counts when all answers are there)
        call: Invocation,  # noqa: ARG002
        outputs: Mapping[str, Path],
        inputs: Mapping[str, Path],
        given: Mapping[str, Scalar],
        withheld: Mapping[str, tuple[Path, ...]],  # noqa: ARG002
    ) -> Answer:
        """Read the answer to an image or to a pair. It is not trusted: what is wrong with it is a reason."""
        try:
            if "image" in inputs:
                return _image(_answer(outputs, "feature"), inputs["image"], given)
            return _pair(_answer(outputs, "compare"))
        except BadAnswerError as error:
            return Answer(dict.fromkeys((*OF_A_CASE, "drift"), error.what))

    def suite(self, cases: Sequence[Case], answers: Sequence[Answer]) -> Iterator[Measurement]:
        """Error rates over all pairs, what the quality score is good for, and whether answers repeat."""
        yield from people_values(cases, answers)
        yield from pair_values(cases, answers)
        yield from ood_values(cases, answers)
        yield from repeated_values(cases, answers)

    def slice_suite(self, name: str, cases: Sequence[Case], answers: Sequence[Answer]) -> Iterator[Measurement]:
        """Error rates among the cases of a slice, and what the quality score is good for there."""
        part = cases_of(name, cases, answers)
        yield from people_slice_values(*part)
        yield from pair_values(*part, "slice")
        yield from ood_values(cases, answers, name)

    def compare(self, case: Case, answer: Answer, released: Answer) -> Mapping[str, Value]:  # noqa: ARG002
        """How far an image's vector has moved."""
        ours, theirs = answer.features, released.features
        if not isinstance(ours, FaceFeatures) or not isinstance(theirs, FaceFeatures):
            return {}
        if len(ours.vector) != len(theirs.vector):
            return {"drift": DIMENSIONS.format(len(theirs.vector), len(ours.vector))}
        return {"drift": 1.0 - float(drift(theirs.vector[None], ours.vector[None])[0])}

    def compare_suite(
        self, cases: Sequence[Case], answers: Sequence[Answer], released: Sequence[Answer]
    ) -> Iterator[Measurement]:
        """Whether stored galleries can still be used, and whether answers have changed their form."""
        yield from gallery_values(cases, answers, released)
        yield _schema_breaks(cases, answers, released)


def _schema_breaks(cases: Sequence[Case], answers: Sequence[Answer], released: Sequence[Answer]) -> Measurement:
    """Over the cases that the released model has answered; an answer that cannot be used leaves no value."""
    ours, theirs = [], []
    for case, answer, before in zip(cases, answers, released, strict=True):
        if before.features is None:
            continue
        if answer.features is None:
            return measurement(
                WHOLE_SUITE, SCHEMA_METRIC.name, f"case '{case.name}': it has no answer that can be used"
            )
        ours.append(answer.features.schema)
        theirs.append(before.features.schema)
    return schema_breaks(theirs, ours)


def _answer(outputs: Mapping[str, Path], name: str) -> Path:
    """The answer of a call by its name, or of the contract's one call."""
    found = outputs.get(name) or outputs.get("")
    if found is None:
        raise BadAnswerError(f"there is no answer of a call '{name}'; the contract's calls are {', '.join(outputs)}")
    return found


def _image(file: Path, image: Path, given: Mapping[str, Scalar]) -> Answer:
    length, unit = promised_vector(given)
    found = read_feature(file, length=length, unit=unit)
    features = FaceFeatures(
        sha256_file(image), found.vector, found.quality, answer_schema({"feature": read_answer(file)})
    )
    return Answer({"face_quality": found.quality}, features=features)


def _pair(file: Path) -> Answer:
    found = read_compare(file)
    fault = band_fault(found)
    why = {"bands": fault} if fault else {}
    # an object around each answer names its call: those of /feature and of /compare have different fields
    features = PairFeatures(found.similarity, found.refused, answer_schema({"compare": read_answer(file)}))
    return Answer({"bands": 0.0 if fault else 1.0}, why=why, features=features)
