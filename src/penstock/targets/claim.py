"""One at a time: who changes a target, by compare-and-swap on ``claims/TARGET.json``."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from pydantic import ValidationError

from penstock.bundle.directory import explain
from penstock.bundle.models import SCHEMA_VERSION, Record
from penstock.foundation.errors import PenstockError, WorldError
from penstock.store.archive import name_part
from penstock.store.store import Pointer, Store

log = logging.getLogger(__name__)

MARGIN_S = 120.0
"""Clocks of two machines may differ by so much."""


class TargetClaim(Record):
    """``claims/TARGET.json``: who changes a target, or changed it last."""

    schema_version: int = SCHEMA_VERSION
    target: str
    model: str
    version: str
    """What is to be served."""
    by: str
    token: str
    """Of this claim alone; whatever is asked of the target carries it."""
    until: str
    """When it ends by itself, UTC, ISO 8601: its owner was killed then."""
    ended: bool = False


class ClaimLostError(WorldError):
    """The claim ended by itself, and somebody else has the target: nothing more may be done to it."""

    resumable = False


class HeldClaim:
    """A claim that is ours, as long as it was not taken."""

    def __init__(self, store: Store, key: str, claim: TargetClaim, pointer: Pointer) -> None:
        self._store, self._key, self._pointer = store, key, pointer
        self.claim = claim

    def hold(self) -> None:
        """Check that it is still ours.

        Raises:
            ClaimLostError: it is not.
            WorldError: the store cannot be reached.
        """
        found = self._store.read_pointer(self._key)
        if found is None or found.value.get("token") != self.claim.token:
            other = _read(self._store, self._key, found) if found is not None else None
            raise ClaimLostError(
                f"the target '{self.claim.target}' took so long that "
                f"{other.by if other else 'somebody'} took it over; nothing was put back",
                where=self._store.location(self._key),
                todo="Look at what serves there; 'penstock promote' of the current release brings it back.",
            )

    def end(self) -> None:
        """Give it back; what was taken by another is left alone."""
        ended = self.claim.model_copy(update={"ended": True})
        self._store.swap_pointer(self._key, ended.model_dump(mode="json"), seen=self._pointer)


@contextmanager
def claimed(
    store: Store,
    target: str,
    model: str,
    version: str,
    *,
    by: str,
    longest_s: float,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Iterator[HeldClaim]:
    """Have a target for oneself.

    Args:
        store: what all who change it share.
        target: its name.
        model: whose release is to be served.
        version: which.
        by: who wants it.
        longest_s: how many seconds it can take at the longest, putting back included; after that, and some minutes for
            clocks that differ, another may take it.
        now: the time.

    Raises:
        WorldError: somebody else has it; the store cannot be reached.
    """
    key = claim_key(target)
    seen = store.read_pointer(key)
    other = _read(store, key, seen) if seen is not None else None
    if other is not None and not other.ended and now() < datetime.fromisoformat(other.until):
        raise _taken(store, key, other)
    until = now().astimezone(UTC) + timedelta(seconds=longest_s + MARGIN_S)
    claim = TargetClaim(
        target=target,
        model=model,
        version=version,
        by=by,
        token=str(uuid4()),
        until=until.isoformat(timespec="seconds"),
    )
    if not store.swap_pointer(key, claim.model_dump(mode="json"), seen=seen):
        found = store.read_pointer(key)
        raise _taken(store, key, _read(store, key, found) if found is not None else claim)
    mine = store.read_pointer(key)
    if mine is None or mine.value.get("token") != claim.token:
        raise _taken(store, key, _read(store, key, mine) if mine is not None else claim)
    held = HeldClaim(store, key, claim, mine)
    try:
        yield held
    finally:
        try:
            held.end()
        except PenstockError as error:  # whatever happened within is what matters; the claim ends by itself
            log.warning("the claim on the target %s ends at %s: %s", target, claim.until, error)


def claim_key(target: str) -> str:
    """``claims/TARGET.json``."""
    return f"claims/{name_part(target, 'target')}.json"


def _read(store: Store, key: str, found: Pointer) -> TargetClaim:
    try:
        claim = TargetClaim.model_validate(found.value)
        if datetime.fromisoformat(claim.until).tzinfo is None:
            raise ValueError("'until' has no time zone")
    except (ValidationError, ValueError) as error:
        what = explain(error) if isinstance(error, ValidationError) else str(error)
        todo = "Remove it once nobody changes the target."
        raise WorldError(f"the claim is damaged: {what}", where=store.location(key), todo=todo) from None
    return claim


def _taken(store: Store, key: str, other: TargetClaim) -> WorldError:
    return WorldError(
        f"{other.by} brings {other.model} {other.version} to the target '{other.target}', until {other.until} at most",
        where=store.location(key),
        todo="Wait until that is done, look at the releases, and decide again.",
    )
