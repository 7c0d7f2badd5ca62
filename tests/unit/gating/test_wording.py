from __future__ import annotations

import pytest

from penstock.contract.policy import Rule
from penstock.gating.wording import limit_text, named, numbers, share, subject_of


@pytest.mark.parametrize(
    ("values", "digits", "signed", "texts"),
    [
        ((7.91, 9.26), 3, False, ["7.91", "9.26"]),
        ((7.0, 100.0), 3, False, ["7", "100"]),
        ((1.4, 1.0), 0, False, ["1.4", "1"]),
        ((0.4,), 0, False, ["0.4"]),
        ((0.0,), 3, False, ["0"]),
        ((-0.0,), 3, True, ["+0"]),
        ((5.000001, 5.0), 3, False, ["5.000001", "5"]),
        ((0.1 + 0.2, 0.3), 3, False, ["0.3", "0.3"]),
        ((1.5, -1.5), 1, True, ["+1.5", "-1.5"]),
        ((1e20,), 3, False, ["1e+20"]),
        ((1e-12,), 3, False, ["0.000000000001"]),
        ((1e-200,), 3, False, ["1e-200"]),
    ],
)
def test_numbers_are_short_and_tell_apart_what_differs(
    values: tuple[float, ...], digits: int, signed: bool, texts: list[str]
) -> None:
    assert numbers(*values, digits=digits, signed=signed) == texts


def test_limits_name_what_is_allowed() -> None:
    def text(**rule: object) -> str:
        made = Rule.model_validate(rule)
        return limit_text(made, subject_of(made))

    assert text(metric="lse_d", max=9.0, margin="5%") == "≤ 9, no more than +5 % over the baseline"
    assert text(metric="lse_c", min=0.9, margin="2.5%") == "≥ 0.9, no more than -2.5 % under the baseline"
    assert text(metric="latency", max=0.3, margin=0.1) == "≤ 0.3 s, no more than +0.1 s over the baseline"
    assert text(metric="latency", margin="1 floor") == "no more than +1 floor over the baseline"
    assert text(metric="lse_c", margin="3 sd") == "no more than -3 sd of the noise under the baseline"
    assert text(metric="own", direction="higher", margin=2) == "no more than -2 under the baseline"


def test_shares_and_names() -> None:
    assert share(1.0, -4.0) == 25.0
    assert share(1.0, 0.0) is None
    assert share(1e150, 1e-200) is None
    assert named({"b": "", "a": "why"}) == "'a' (why), 'b'"
