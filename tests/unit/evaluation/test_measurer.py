"""A line of measurements has a finite value, or the reason why there is none."""

from __future__ import annotations

import pytest

from penstock.evaluation.measurer import measurement


def test_value_with_its_unit() -> None:
    line = measurement("a", "duration_error", 1, slices=["fast"], extractor="x@sha256:1")
    assert (line.value, line.unit, line.error, line.slices, line.extractor) == (1.0, "s", None, ["fast"], "x@sha256:1")
    assert measurement("a", "made_up_metric", 1.0).unit == ""


@pytest.mark.parametrize("value", ["no face", float("nan"), float("inf"), -float("inf")])
def test_what_is_no_number_is_a_reason(value: float | str) -> None:
    line = measurement("a", "sharpness", value)
    assert line.value is None
    assert line.error


def test_a_reason_that_quotes_a_model_is_one_line_that_can_be_written() -> None:
    quoted, safe = "read '\x1b[2J\n\u202e\ud800'", "read '\\x1b[2J \\u202e\\ud800'"
    assert measurement("a", "cer", quoted).error == safe
    line = measurement("a", "cer", 0.5, why=quoted)
    assert (line.value, line.error) == (0.5, safe)
    assert measurement("a", "cer", 0.5).error is None
