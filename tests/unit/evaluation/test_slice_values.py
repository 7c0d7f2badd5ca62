"""Values of the whole suite taken of each slice."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import cast

from penstock.bundle.models import Measurement, Resamples
from penstock.contract.models import Case
from penstock.evaluation.measurer import Answer, Measurer, cases_of
from penstock.evaluation.slice_values import slice_values
from penstock.families.family import Metric

ECE = Metric(*("ece", "ECE", "", "lower", 3), "How far.", whole_suite=True, by_slice=True)
FID = Metric(*("fid", "FID", "", "lower", 3), "How far.", whole_suite=True)
KEPT = Resamples(cases=2, key="k", values=[1 / 3, 0.25])


class Counting:
    """Counts the cases of a slice."""

    def slice_suite(self, name: str, cases: Sequence[Case], answers: Sequence[Answer]) -> Iterator[Measurement]:
        part, theirs = cases_of(name, cases, answers)
        assert [answer.features for answer in theirs] == [case.name for case in part]
        yield Measurement(case="*", metric="ece", value=len(part), resamples=KEPT)
        yield Measurement(case="*", metric="fid", value=len(cases))


def case(name: str, *slices: str) -> Case:
    return Case.model_validate({"name": name, "inputs": {"image": "a.png"}, "slices": list(slices)})


CASES = [case("a", "blur", "dark"), case("b", "blur"), case("c")]
ANSWERS = [Answer(features=each.name) for each in CASES]


def test_each_slice_has_a_line_of_the_metrics_that_have_slices() -> None:
    lines = list(slice_values(cast("Measurer", Counting()), [ECE, FID], CASES, ANSWERS))
    assert [(line.case, line.slice, line.metric, line.value) for line in lines] == [
        ("*", "blur", "ece", 2),
        ("*", "dark", "ece", 1),
    ]
    assert lines[0].resamples == Resamples(cases=2, key="k", values=[0.333333333, 0.25])


def test_a_family_without_such_metrics_is_not_asked() -> None:
    assert list(slice_values(cast("Measurer", object()), [FID], CASES, ANSWERS)) == []
