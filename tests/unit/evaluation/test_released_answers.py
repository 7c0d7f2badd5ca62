"""Metrics that compare with the released model's answers, and where they say nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace

import pytest

from penstock.bundle.directory import Bundle
from penstock.bundle.models import Invocation, Measurement
from penstock.contract.models import Case
from penstock.evaluation import measure as measuring
from penstock.evaluation import measurer as measurers
from penstock.evaluation.measurer import Answer, Value, measurement
from penstock.evaluation.released_answers import compare, compare_suite, compared_by_case, why_not_compared
from penstock.families.family import Metric
from penstock.foundation.errors import UsageError

METRICS = (
    Metric("size", "size", "", "lower", 0, "Size."),
    Metric("moved", "moved", "", "lower", 0, "How far it moved.", needs_released=True),
    Metric("farthest", "farthest", "", "lower", 0, "The farthest.", needs_released=True, whole_suite=True),
)
CASES = [Case.model_validate({"name": name, "inputs": {"image": "a.png"}, "slices": ["all"]}) for name in "abc"]


class Sizes:
    """An answer's value is its size."""

    def __init__(self, networks: object = None, reference: object = None) -> None:
        pass

    def case(self, case: Case, call: Invocation, outputs: Mapping[str, Path], *_: object) -> Answer:
        size = float(len(outputs[""].read_bytes()))
        return Answer({"size": size}, features=size) if size else Answer({"size": "empty", "moved": "empty"})

    def suite(self, cases: Sequence[Case], answers: Sequence[Answer]) -> Iterator[Measurement]:
        yield from ()

    def compare(self, case: Case, answer: Answer, released: Answer) -> Mapping[str, Value]:
        if case.name == "b" and answer.features == 13:
            raise ValueError("unlucky")
        return {"moved": abs(answer.features - released.features)}

    def compare_suite(
        self, cases: Sequence[Case], answers: Sequence[Answer], released: Sequence[Answer]
    ) -> Iterator[Measurement]:
        both = [(a.features, b.features) for a, b in zip(answers, released, strict=True) if a.features and b.features]
        yield measurement("*", "farthest", max(abs(a - b) for a, b in both))


def answered(folder: Path, *sizes: int | None) -> Bundle:
    bundle = Bundle(folder)
    calls = []
    for case, size in zip(CASES, sizes, strict=True):
        if size is None:
            calls.append(Invocation(case=case.name, status="failed", error="the model answered 500"))
            continue
        output = folder / "outputs" / case.name / "output.json"
        output.parent.mkdir(parents=True)
        output.write_bytes(b"x" * size)
        calls.append(Invocation(case=case.name, status="ok", output=str(output.relative_to(folder))))
    bundle.write_invocations(calls)
    return bundle


@pytest.fixture
def lines(repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Measure answers of so many bytes beside those of the released model: case and metric → line."""
    monkeypatch.setattr(measuring, "family", lambda _: SimpleNamespace(metrics=METRICS, measurer="sizes", figures=None))
    monkeypatch.setattr(measuring, "load", lambda _: Sizes)
    monkeypatch.setattr(measurers, "find_metric", lambda _: None)

    def run(ours: Sequence[int | None], theirs: Sequence[int | None] | None) -> dict[tuple[str, str], Measurement]:
        suite = repository.suite("a").model_copy(update={"cases": CASES})
        released = answered(tmp_path / "theirs", *theirs) if theirs is not None else None
        bundle = answered(tmp_path / "ours", *ours)
        found = measuring.measure(repository.contract(), suite, bundle, repository.path, workers=1, released=released)
        return {(line.case, line.metric): line for line in found}

    return run


def test_both_answers_to_a_case_are_compared(lines) -> None:
    found = lines([3, 5, 5], [3, 4, 9])
    assert [found[case, "moved"].value for case in "abc"] == [0, 1, 4]
    assert found["*", "farthest"].value == 4
    assert found["a", "moved"].slices == ["all"]


def test_before_the_first_release_they_apply_to_nothing(lines) -> None:
    found = lines([3, None, 5], None)
    for place in [("a", "moved"), ("b", "moved"), ("*", "farthest")]:
        line = found[place]
        assert (line.value, line.applies) == (None, False)
        assert line.error == "there is no released model to compare with"
    assert found["a", "size"].value == 3


def test_a_case_that_the_released_model_failed_is_not_held_against_the_candidate(lines) -> None:
    found = lines([3, 5, 5], [None, 4, 0])
    assert not found["a", "moved"].applies
    assert found["a", "moved"].error == "the released model has no answer to this case: the model answered 500"
    assert found["c", "moved"].error == "the released model has no answer to this case: empty"
    assert found["b", "moved"].value == 1


def test_a_case_that_the_candidate_failed_is(lines) -> None:
    found = lines([None, 0, 13], [3, 4, 5])
    assert found["a", "moved"].applies
    assert found["a", "moved"].error == "the model answered 500"
    assert found["b", "moved"].error == "empty"
    assert found["c", "moved"].value == 8


def test_what_an_answer_does_to_the_comparison_is_the_cases_reason(lines) -> None:
    found = lines([3, 13, 5], [3, 4, 5])
    assert found["b", "moved"].error == "the answers cannot be compared: ValueError: unlucky"
    assert found["b", "moved"].applies
    assert found["c", "moved"].value == 0


def test_faults_of_the_suites_own_files_are_told() -> None:
    class Broken(Sizes):
        def compare(self, *_: object) -> Mapping[str, Value]:
            raise UsageError("the suite is wrong")

    with pytest.raises(UsageError, match="the suite is wrong"):
        compare(Broken(), METRICS, CASES[0], Answer(features=1.0), Answer(features=1.0))


def test_no_features_nothing_to_compare() -> None:
    assert compare(Sizes(), METRICS, CASES[0], Answer(), Answer(features=1.0)) == {}
    assert compare(Sizes(), METRICS, CASES[0], Answer(features=1.0), None) == {}
    assert why_not_compared(Answer(features=0.0)) == ""
    assert why_not_compared(Answer()) == "the released model has no answer to this case: it failed"
    assert compared_by_case(METRICS) == ["moved"]
    (line,) = compare_suite(Sizes(), METRICS, CASES[:1], [Answer(features=1.0)], [None])
    assert not line.applies
