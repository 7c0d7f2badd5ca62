"""The step and the service find each other, whatever an earlier attempt has left."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from penstock.invocation import handshake
from penstock.invocation.handshake import ANSWERED, ASKED, Answered

LIMIT_S = 10.0


class Attending:
    """A service in a thread."""

    def __init__(self, folder: Path, answer: Answered) -> None:
        self.word = ""

        def attend() -> None:
            self.word = handshake.attend(folder, answer, alive_s=LIMIT_S)
            handshake.leave(folder, self.word)

        self.thread = threading.Thread(target=attend, daemon=True)
        self.thread.start()


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handshake, "POLL_S", 0.005)


def test_whoever_comes_first_the_answer_is_the_services(tmp_path: Path) -> None:
    folder = tmp_path / "page"
    handshake.ask(folder, "one")
    service = Attending(folder, Answered(word="", port=4711, confined="none"))
    answered = handshake.answer_to(folder, "one", wait_s=LIMIT_S)
    assert answered == Answered(word="one", port=4711, confined="none")
    assert service.thread.is_alive()
    handshake.end(folder, "one", wait_s=LIMIT_S)
    service.thread.join(LIMIT_S)
    assert service.word == "one"
    assert list(folder.iterdir()) == []


def test_what_an_attempt_that_was_killed_has_left_means_nothing(tmp_path: Path) -> None:
    handshake.ask(tmp_path, "old", over=True)
    (tmp_path / ANSWERED).write_text(Answered(word="old", port=1).model_dump_json(), encoding="utf-8")
    service = Attending(tmp_path, Answered(word="", port=4711))
    time.sleep(0.05)
    assert service.thread.is_alive(), "it was told that it is over by somebody whom it never answered"
    handshake.ask(tmp_path, "new")
    answered = handshake.answer_to(tmp_path, "new", wait_s=LIMIT_S)
    assert answered is not None
    assert answered.port == 4711
    handshake.end(tmp_path, "new", wait_s=LIMIT_S)


def test_a_word_that_was_left_behind_is_answered_and_then_forgotten(tmp_path: Path) -> None:
    handshake.ask(tmp_path, "old")
    Attending(tmp_path, Answered(word="", port=4711))
    assert handshake.answer_to(tmp_path, "old", wait_s=LIMIT_S) is not None
    handshake.ask(tmp_path, "new")
    assert handshake.answer_to(tmp_path, "new", wait_s=LIMIT_S) is not None
    handshake.end(tmp_path, "new", wait_s=LIMIT_S)


def test_nobody_is_waited_for_without_end(tmp_path: Path) -> None:
    assert handshake.answer_to(tmp_path, "one", wait_s=0.02) is None
    assert handshake.attend(tmp_path, Answered(word="", port=1), alive_s=0.02) == ""
    handshake.end(tmp_path, "one", wait_s=0.02)


@pytest.mark.parametrize("content", ["", "{", "[]", '{"word": "one", "port": 70000}', '{"port": 1}'])
def test_what_is_no_answer_is_not_taken_for_one(tmp_path: Path, content: str) -> None:
    (tmp_path / ANSWERED).write_text(content, encoding="utf-8")
    assert handshake.answer_to(tmp_path, "one", wait_s=0.02) is None


def test_a_pipe_in_a_files_place_is_not_waited_for(tmp_path: Path) -> None:
    import os

    os.mkfifo(tmp_path / ANSWERED)
    os.mkfifo(tmp_path / ASKED)
    assert handshake.answer_to(tmp_path, "one", wait_s=0.02) is None
    assert handshake.attend(tmp_path, Answered(word=""), alive_s=0.02) == ""
