"""How a trial starts a service, and what it says of one, in one line."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
from tests.unit.evaluation.put_loads import put

from penstock.evaluation.service_trial import MAX_FAULT, cut, rounded
from penstock.invocation import sandbox, service_process
from penstock.invocation.http import free_port


@pytest.mark.slow
@pytest.mark.parametrize(("tries", "held"), [(1, False), (3, True)])
def test_a_port_that_something_else_took_first_is_left_to_it(
    tries: int, held: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a network of its own no other program can: a service is here beside all others, as without bubblewrap."""
    monkeypatch.setattr(sandbox, "best_level", lambda **_: "landlock")
    with socket.create_server(("127.0.0.1", free_port())) as other:
        taken = [other.getsockname()[1]] * tries
        monkeypatch.setattr(service_process, "free_port", lambda: taken.pop() if taken else free_port())
        found, _ = put(tmp_path, {})
    said = found.fault or ""
    assert ("address already in use" in said.lower()) == held, said
    assert not taken


def test_what_quotes_a_service_is_one_short_line() -> None:
    assert cut("a\n  b\t\x1b[2Jc") == r"a b \x1b[2Jc"
    assert len(cut("x" * 10_000)) == MAX_FAULT


def test_seconds_are_rounded_and_never_is_never() -> None:
    assert rounded(1.23456) == 1.2346
    assert rounded(None) is None
