"""The log of a model's releases: what was published, rolled back, promoted or withdrawn, by whom, when and why."""

from __future__ import annotations

import getpass
import socket
from typing import Literal

from penstock.bundle.models import SCHEMA_VERSION
from penstock.bundle.record import Record
from penstock.foundation.errors import UsageError, one_line
from penstock.store.archive import name_part
from penstock.store.store import Store

Kind = Literal[
    "published",
    "rolled back",
    "promoted",
    "withdrawn",
    "canary paused",
    "canary resumed",
    "canary aborted",
    "canary stopped",
    "canary undecided",
]
MAX_REASON = 500
MAX_NAME = 200
STANDS = "its verdict stands"
"""Why a release is promoted where nobody says it: that much was looked at."""


class Move(Record):
    """``moves/MODEL/NUMBER.json``: one entry of the log. Written once, never changed."""

    schema_version: int = SCHEMA_VERSION
    model: str
    number: int
    """1 for the first of this model, without gaps."""
    kind: Kind
    version: str
    """The release that this is about."""
    run_id: str
    """The run that showed it."""
    before: str | None
    """The version that was current until then; ``None`` before the first release. Of a withdrawal, and of what is done
    with a canary: the one that stays current."""
    reason: str = ""
    by: str
    time: str
    """UTC, ISO 8601."""


def moves_prefix(model: str) -> str:
    """``moves/MODEL``."""
    return f"moves/{name_part(model, 'model')}"


def move_key(model: str, number: int) -> str:
    """``moves/MODEL/000001.json``: listed in their order."""
    return f"{moves_prefix(model)}/{number:06d}.json"


def withdrawn_prefix(model: str) -> str:
    """``withdrawn/MODEL``."""
    return f"withdrawn/{name_part(model, 'model')}"


def withdrawn_key(model: str, version: str) -> str:
    """``withdrawn/MODEL/VERSION.json``: the entry that withdrew it, once more, so that it is found by the version."""
    return f"{withdrawn_prefix(model)}/{name_part(version, 'version')}.json"


def next_number(store: Store, model: str, last: Move | None) -> int:
    """The number of the next entry.

    An older version of Penstock leaves the last entry out of the pointer: then the log itself says how far it goes.
    """
    if last is not None:
        return last.number + 1
    names = [entry.key.rpartition("/")[2].removesuffix(".json") for entry in store.list(moves_prefix(model))]
    return max((int(name) for name in names if name.isdecimal()), default=0) + 1


def stated_reason(reason: str) -> str:
    """A reason for the record, on one line.

    Raises:
        UsageError: it is empty or too long.
    """
    line = one_line(reason).strip()
    if not line or len(line) > MAX_REASON:
        raise UsageError(f"a reason has 1 to {MAX_REASON} characters", where="--reason", todo="Say why in a sentence.")
    return line


def stated_author(by: str) -> str:
    """Who says so, on one line; the user and machine that this runs as where nobody is named.

    Raises:
        UsageError: the name is too long.
    """
    line = one_line(by).strip()
    if len(line) > MAX_NAME:
        raise UsageError(f"a name has at most {MAX_NAME} characters", where="--by")
    return line or this_account()


def this_account() -> str:
    """``user@machine``."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # a user without a name, in a container
        user = "unknown"
    return f"{user}@{socket.gethostname()}"
