"""What people do with a canary, in the log of its model's releases. The current release stays what it is."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Literal

from penstock.foundation.errors import UsageError, WorldError
from penstock.releases.baseline import current_release, finish, move
from penstock.releases.history import released
from penstock.releases.moves import Move, next_number, stated_author, stated_reason
from penstock.store.store import Store

CanaryKind = Literal["canary paused", "canary resumed", "canary aborted", "canary stopped", "canary undecided"]
ATTEMPTS = 10


def log_canary_act(
    store: Store,
    model: str,
    version: str,
    kind: CanaryKind,
    *,
    reason: str,
    by: str = "",
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Move:
    """Write one entry, by compare-and-swap as every other.

    Args:
        store: where the model is released.
        model: its name.
        version: of the canary.
        kind: what was done.
        reason: why, in 1 to 500 characters.
        by: who says so; the account that this runs as where nobody is named.
        now: the time.

    Raises:
        UsageError: the model or the version is not published there; the reason is empty or too long.
        WorldError: the store cannot be reached, or others keep writing to the log.
    """
    why, author = stated_reason(reason), stated_author(by)
    for _ in range(ATTEMPTS):
        seen = current_release(store, model)
        release = released(store, seen.baseline).get(version) if seen is not None else None
        if seen is None or release is None:
            todo = "Check the name and the store."
            raise UsageError(f"no version '{version}' of '{model}' is published", where=store.uri, todo=todo)
        finish(store, seen.baseline)
        entry = Move(
            model=model,
            number=next_number(store, model, seen.baseline.move),
            kind=kind,
            version=version,
            run_id=release.run_id,
            before=seen.baseline.current_version,
            reason=why,
            by=author,
            time=now().astimezone(UTC).isoformat(timespec="seconds"),
        )
        if move(store, seen.baseline.model_copy(update={"move": entry}), seen=seen):
            return entry
    raise WorldError("others keep writing to the log of releases", where=store.uri, todo="Try again.")
