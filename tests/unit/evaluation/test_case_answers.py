"""An array of preprocessing is no answer."""

from __future__ import annotations

from penstock.bundle.models import CallRecord, Invocation
from penstock.evaluation.case_answers import answers_of


def called(*names: str) -> Invocation:
    calls = [
        CallRecord(name=name, status="ok", latency_s=0.1, output=f"outputs/a/{name}", started="2026-01-01T00:00:00Z")
        for name in names
    ]
    return Invocation(case="a", status="ok", calls=calls)


def test_an_array_is_no_answer() -> None:
    assert answers_of(called("feature", "preprocess")) == {"": "outputs/a/feature"}, "as if it were the only call"
    assert answers_of(called("one", "two", "preprocess")) == {"one": "outputs/a/one", "two": "outputs/a/two"}
    assert answers_of(called("feature")) == {"feature": "outputs/a/feature"}
    assert answers_of(called("preprocess")) == {}
    assert answers_of(Invocation(case="a", status="ok", output="outputs/a/output.png")) == {"": "outputs/a/output.png"}
