"""Waiting for a target: at least one look, and an end."""

from __future__ import annotations

import time

import pytest

from penstock.targets.waiting import NotServingError, wait_until_served


def test_until_nothing_is_missing() -> None:
    said = iter(["a", "b", ""])
    wait_until_served(lambda: next(said), timeout_s=10.0, poll_s=0.001, where="t", what="x")
    assert next(said, None) is None


def test_what_is_missing_at_the_end_is_said_on_one_line() -> None:
    begun = time.monotonic()
    with pytest.raises(NotServingError, match=r"t: x does not serve after 0\.02 s: still old"):
        wait_until_served(lambda: "still\nold", timeout_s=0.02, poll_s=60.0, where="t", what="x")
    assert time.monotonic() - begun < 10
