"""Cases that must be refused are kept apart, and each gives one value or the reason why there is none.

Against a real service: tests/invocation/test_infer_calls.py.
"""

from __future__ import annotations

import pytest

from penstock.bundle.models import Invocation, Measurement
from penstock.contract.expectation import Expect
from penstock.contract.models import Case, Suite
from penstock.evaluation.refusals import split_refusals, wrongly_accepted

REFUSED = Case(name="no-face", inputs={}, slices=["hard", "faces"], expect=Expect(status=422))


def suite_of(*cases: Case) -> Suite:
    return Suite(version=1, family="talking-head", cases=list(cases), reference="reference")


def measured(*calls: Invocation) -> Measurement:
    (line,) = wrongly_accepted(suite_of(REFUSED), {call.case: call for call in calls})
    assert (line.case, line.metric, line.slices) == ("no-face", "wrongly_accepted", ["hard", "faces"])
    return line


def test_both_parts_keep_their_order_and_the_rest_of_the_suite() -> None:
    plain = [Case(name=name, inputs={}) for name in "ab"]
    other = REFUSED.model_copy(update={"name": "other"})
    whole = suite_of(plain[0], REFUSED, plain[1], other)
    answered, refused = split_refusals(whole)
    assert answered == whole.model_copy(update={"cases": plain})
    assert refused == whole.model_copy(update={"cases": [REFUSED, other]})
    assert len(whole.cases) == 4


def test_either_part_may_be_empty() -> None:
    assert [part.cases for part in split_refusals(suite_of(REFUSED))] == [[], [REFUSED]]
    plain = Case(name="a", inputs={})
    assert [part.cases for part in split_refusals(suite_of(plain))] == [[plain], []]


def test_refused_as_expected_is_0_and_accepted_is_1() -> None:
    line = measured(Invocation(case="no-face", status="ok", refusal="as_expected"))
    assert (line.value, line.error) == (0.0, None)
    line = measured(Invocation(case="no-face", status="failed", refusal="accepted", error="the model accepted it"))
    assert (line.value, line.error) == (1.0, None)


@pytest.mark.parametrize("refusal", ["otherwise", None])
def test_neither_has_no_value_and_the_calls_reason(refusal: str | None) -> None:
    call = Invocation.model_validate({"case": "no-face", "status": "timeout", "refusal": refusal, "error": "too slow"})
    line = measured(call)
    assert (line.value, line.error) == (None, "too slow")


def test_a_case_that_was_not_put_says_so() -> None:
    line = measured(Invocation(case="another", status="ok", refusal="as_expected"))
    assert (line.value, line.error) == (None, "the case was not put to the model")
