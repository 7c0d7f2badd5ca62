"""Why a step failed, left in the bundle for the step that tells people: a run that broke says where and why.

One file a step below ``failures/``, outside the manifest: it is no evidence of the model, and a step that succeeds when
it is tried again takes its file away.
"""

from __future__ import annotations

import contextlib
from pathlib import Path

from penstock.bundle.directory import Bundle, read_model, write_model
from penstock.bundle.record import Record
from penstock.bundle.steps import utc_now
from penstock.foundation.errors import PenstockError

NOT_SAID = ("notify", "enforce")
"""Steps that come after all others: one tells how those ended, the other repeats the verdict."""


class Failure(Record):
    """What a step said when it failed."""

    step: str
    error: str
    time: str
    resumable: bool = True
    """Whether going on with the run may help."""
    full_disk: bool = False
    """Whether no space was left."""


def remember_failure(
    bundle: Bundle, step: str, error: str, *, part: str = "", resumable: bool = True, full_disk: bool = False
) -> None:
    """Leave a step's error in the bundle. Where that cannot be written (a full volume), the log alone has it.

    Args:
        bundle: the run's bundle.
        step: the step's name.
        error: what it said.
        part: which of several at the same time: a shard's name.
        resumable: whether going on with the run may help.
        full_disk: whether no space was left.
    """
    if step in NOT_SAID or not bundle.path.is_dir():
        return
    with contextlib.suppress(OSError, PenstockError):
        now = utc_now("milliseconds")
        failure = Failure(step=step, error=error, time=now, resumable=resumable, full_disk=full_disk)
        write_model(_file(bundle, step, part), failure)


def forget_failure(bundle: Bundle, step: str, *, part: str = "") -> None:
    """Take back what an earlier try of a step has left."""
    with contextlib.suppress(OSError):
        _file(bundle, step, part).unlink(missing_ok=True)


def first_failure(bundle: Bundle) -> Failure | None:
    """The failure that came first: what failed after it may have failed for that."""
    found = []
    for path in bundle.failures.glob("*.json"):
        with contextlib.suppress(PenstockError):  # not whole, or not ours: the log has it
            found.append(read_model(path, Failure))
    return min(found, key=lambda failure: failure.time, default=None)


def _file(bundle: Bundle, step: str, part: str) -> Path:
    return bundle.failures / f"{step}{'-' if part else ''}{part.replace('/', '-of-')}.json"
