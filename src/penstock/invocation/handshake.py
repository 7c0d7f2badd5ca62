"""How a step and the model's service beside it find each other: two small files in a folder that both see.

The step asks under a word of its own, and the service answers to that word: what an earlier attempt, which was killed,
has left there means nothing. Only the step says when it is over.
"""

from __future__ import annotations

import contextlib
import json
import secrets
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Final, TypeVar

from pydantic import Field, ValidationError

from penstock.bundle.record import Record
from penstock.foundation.errors import UsageError, WorldError
from penstock.foundation.files import disk_errors, read_regular, write_text
from penstock.foundation.handles import discard_tree

ASKED, ANSWERED = "service-asked.json", "service.json"
MAX_BYTES: Final = 1 << 16
POLL_S: Final = 0.1
START_S = 180.0
"""How long the service's container may take to start, before the contract's own time to get ready."""
END_S = 30.0
"""How long the service may take to end."""
R = TypeVar("R", bound=Record)


class ServiceRequest(Record):
    """What the step wants."""

    word: str
    over: bool = False
    """The service is not needed any more."""


class Answered(Record):
    """What the service says."""

    word: str
    port: Annotated[int, Field(ge=0, le=65535)] = 0
    """Where the service is, on the loopback that both share; 0: it could not be started."""
    error: str = ""
    """Why not."""
    confined: str = ""
    """By what the model is confined."""
    left: bool = False
    """It has ended."""


def ask(folder: Path, word: str, *, over: bool = False) -> None:
    """Ask for the service under ``word``; ``over``: it is not needed any more."""
    _write(folder / ASKED, ServiceRequest(word=word, over=over))


def answer_to(folder: Path, word: str, *, wait_s: float) -> Answered | None:
    """The service's answer to ``word``; ``None`` if there is none in time."""
    deadline = time.monotonic() + wait_s
    while True:
        answered = _read(folder / ANSWERED, Answered)
        if answered is not None and answered.word == word:
            return answered
        if time.monotonic() >= deadline:
            return None
        time.sleep(POLL_S)


def attend(folder: Path, answer: Answered, *, alive_s: float) -> str:
    """Give ``answer`` to the step that asks, until it says that it is over; returns its word, for :func:`leave`.

    Args:
        folder: that both see.
        answer: its ``word`` is filled in.
        alive_s: the longest that this takes: nobody may come.
    """
    deadline, answered = time.monotonic() + alive_s, ""
    while time.monotonic() < deadline:
        asked = _read(folder / ASKED, ServiceRequest)
        if asked is not None and asked.over and asked.word == answered:
            break
        if asked is not None and not asked.over and asked.word != answered:
            answered = asked.word
            _write(folder / ANSWERED, answer.model_copy(update={"word": answered}))
        time.sleep(POLL_S)
    return answered


def leave(folder: Path, word: str) -> None:
    """Say to the step that nothing runs any more."""
    _write(folder / ANSWERED, Answered(word=word, left=True))


def end(folder: Path, word: str, *, wait_s: float) -> None:
    """Say that it is over, wait until the service has left, or as long as that may take, and remove both files."""
    ask(folder, word, over=True)
    deadline = time.monotonic() + wait_s
    while time.monotonic() < deadline:
        answered = _read(folder / ANSWERED, Answered)
        if answered is None or answered.word != word or answered.left:
            break
        time.sleep(POLL_S)
    with disk_errors(folder):
        for name in (ASKED, ANSWERED):
            (folder / name).unlink(missing_ok=True)


@contextlib.contextmanager
def service_beside(folder: Path, ready_s: float, *, step: str, left: str) -> Iterator[Answered]:
    """The model's service beside a step, until the block is left.

    Args:
        folder: that both see.
        ready_s: how long it may take to get ready once its container runs.
        step: the step's name.
        left: a pattern of what a service that was killed leaves in the folder.

    Raises:
        WorldError: it did not start.
    """
    word = secrets.token_hex(8)
    ask(folder, word)
    try:
        answered = answer_to(folder, word, wait_s=START_S + ready_s)
        if answered is None:
            raise WorldError(
                f"the model's service did not start within {START_S + ready_s:g} s",
                where=step,
                todo="The log of the container 'model' beside this step says why.",
            )
        if not answered.port:
            raise WorldError(answered.error, where=step)
        yield answered
    finally:
        end(folder, word, wait_s=END_S)
        for path in folder.glob(left):
            discard_tree(path)


def _write(path: Path, record: Record) -> None:
    with disk_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        write_text(path, record.model_dump_json() + "\n")


def _read(path: Path, model: type[R]) -> R | None:
    """What stands there; nothing where there is no such file, or none that is whole."""
    try:
        return model.model_validate(json.loads(read_regular(path, max_bytes=MAX_BYTES, where=str(path))))
    except (UsageError, ValidationError, ValueError):
        return None
