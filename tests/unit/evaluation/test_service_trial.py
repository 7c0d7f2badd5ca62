"""What a trial says of a service, in one line."""

from __future__ import annotations

from penstock.evaluation.service_trial import MAX_FAULT, cut, rounded


def test_what_quotes_a_service_is_one_short_line() -> None:
    assert cut("a\n  b\t\x1b[2Jc") == r"a b \x1b[2Jc"
    assert len(cut("x" * 10_000)) == MAX_FAULT


def test_seconds_are_rounded_and_never_is_never() -> None:
    assert rounded(1.23456) == 1.2346
    assert rounded(None) is None
