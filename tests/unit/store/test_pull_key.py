"""Where the evidence of pull requests lies."""

from __future__ import annotations

import pytest

from penstock.foundation.errors import UsageError
from penstock.store.pull_key import pull_key


@pytest.mark.parametrize(
    ("number", "fork", "wanted"),
    [
        ("7", False, "pulls/sonic/7/run-1"),
        ("", False, "pulls/sonic/0/run-1"),
        ("7", True, "forks/pulls/sonic/7/run-1"),
    ],
)
def test_apart_from_the_runs_of_releases(number: str, fork: bool, wanted: str) -> None:
    assert pull_key("sonic", "run-1", number=number, fork=fork) == wanted


@pytest.mark.parametrize("number", ["0", "-1", "7/../8", "seven", "12345678901", "7\n"])
def test_what_is_no_number(number: str) -> None:
    with pytest.raises(UsageError, match="not the number of a pull request"):
        pull_key("sonic", "run-1", number=number)


@pytest.mark.parametrize(("model", "run_id"), [("../x", "run"), ("sonic", "a/b"), ("", "run"), ("sonic", ".x")])
def test_names_that_lead_elsewhere(model: str, run_id: str) -> None:
    with pytest.raises(UsageError):
        pull_key(model, run_id, number="7")
