"""One request and its short answer."""

from __future__ import annotations

import socket

import pytest
from tests.unit.targets.receiver import receiver

from penstock.targets.short_answer import NoShortAnswerError, ask


def test_an_answer_and_none() -> None:
    with receiver() as hook:
        unsigned = {"Penstock-Timestamp": "0", "Penstock-Signature": "v1=0"}
        assert ask("POST", hook.url, timeout_s=10.0, content=b"{}", headers=unsigned).status == 401
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        with pytest.raises(NoShortAnswerError):
            ask("GET", f"http://127.0.0.1:{closed.getsockname()[1]}/", timeout_s=10.0)


def test_a_server_that_accepts_and_says_nothing() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(NoShortAnswerError, match="did not answer"):
        ask("GET", f"http://127.0.0.1:{silent.getsockname()[1]}/", timeout_s=0.05)
