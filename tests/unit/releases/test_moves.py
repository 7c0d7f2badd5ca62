"""Entries of the log: their keys, who, and why."""

from __future__ import annotations

import getpass

import pytest

from penstock.foundation.errors import UsageError
from penstock.releases.moves import move_key, stated_author, stated_reason, this_account, withdrawn_key


def test_keys_are_listed_in_the_order_of_the_log() -> None:
    keys = [move_key("mini", number) for number in (1, 2, 10, 100, 99999)]
    assert keys == sorted(keys)
    assert keys[0] == "moves/mini/000001.json"
    assert withdrawn_key("mini", "1.0.0+w12345678") == "withdrawn/mini/1.0.0+w12345678.json"


@pytest.mark.parametrize("name", ["a/b", "..", ".hidden", ""])
def test_names_that_cannot_be_part_of_a_key(name: str) -> None:
    with pytest.raises(UsageError):
        move_key(name, 1)
    with pytest.raises(UsageError):
        withdrawn_key("mini", name)


@pytest.mark.parametrize("reason", ["", " \n\t", "x" * 501])
def test_a_reason_must_say_something(reason: str) -> None:
    with pytest.raises(UsageError, match="a reason has 1 to 500 characters"):
        stated_reason(reason)


def test_what_is_stated_stays_on_one_line() -> None:
    assert stated_reason(" users\nsee \x1b[31mred ") == "users see \\x1b[31mred"
    assert stated_author("ann\nroot") == "ann root"
    with pytest.raises(UsageError, match="at most 200"):
        stated_author("a" * 201)


def test_where_nobody_is_named_it_is_the_account(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("socket.gethostname", lambda: "forge")
    monkeypatch.setattr(getpass, "getuser", lambda: "ann")
    assert stated_author("") == this_account() == "ann@forge"

    def nameless() -> str:
        raise KeyError

    monkeypatch.setattr(getpass, "getuser", nameless)
    assert this_account() == "unknown@forge"
