"""What a value rests on is refused where nothing could rest on it."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from penstock.bundle.estimates import RatingCount, StandardError


@pytest.mark.parametrize(("error", "freedom"), [(-0.1, 3), (float("nan"), 3), (1e300, 3), (0.1, 0), (0.1, -5)])
def test_an_error_that_is_none(error: float, freedom: int) -> None:
    with pytest.raises(ValidationError):
        StandardError(error=error, freedom=freedom)


@pytest.mark.parametrize("field", ["counted", "raters", "cases", "disqualified", "waiting", "elsewhere"])
def test_nothing_is_counted_below_0(field: str) -> None:
    with pytest.raises(ValidationError):
        RatingCount.model_validate({"counted": 1, field: -1})
