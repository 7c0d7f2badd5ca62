"""One at a time: who changes a target, by compare-and-swap on ``claims/TARGET.json``."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from pydantic import ValidationError

from penstock.bundle.directory import explain
from penstock.bundle.models import SCHEMA_VERSION
from penstock.bundle.record import Record
from penstock.foundation.errors import PenstockError, WorldError
from penstock.store.archive import name_part
from penstock.store.store import Pointer, Store

log = logging.getLogger(__name__)

MARGIN_S = 120.0
"""Clocks of two machines may differ by so much."""
LEASE_S = 60.0
"""So long after the last word of its owner a claim ends: one who was killed does not keep a target for hours."""
RENEW_S = 15.0
"""How long between two words."""


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
    """When it ends by itself, UTC, ISO 8601, unless its owner, who is alive, puts that off."""
    ended: bool = False


class ClaimLostError(WorldError):
    """The claim ended by itself, and somebody else has the target: nothing more may be done to it."""

    resumable = False


class HeldClaim:
    """A claim that is ours, as long as it was not taken.

    Args:
        store: where it is.
        key: under which key.
        claim: as it was written.
        pointer: as the store gave it back.
        last: when it ends for good: an owner that hangs keeps nothing.
        now: the time.
    """

    def __init__(
        self,
        store: Store,
        key: str,
        claim: TargetClaim,
        pointer: Pointer,
        *,
        last: datetime,
        now: Callable[[], datetime],
    ) -> None:
        self._store, self._key, self._pointer = store, key, pointer
        self._last, self._now = last, now
        self._over = threading.Event()
        self.claim = claim
        # a thread of its own: whatever brings the pair to its target may wait in git, ssh or another program for long
        self._keeping = threading.Thread(target=self._keep, name=f"claim-{claim.target}", daemon=True)
        self._keeping.start()

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
                todo="Look at what serves there; 'penstock rollback --to' the current release brings that back.",
            )

    def renew(self) -> None:
        """Put off its end. What was taken by another is left alone; :meth:`hold` says so.

        Raises:
            PenstockError: the store cannot be reached.
        """
        later = self.claim.model_copy(update={"until": _until(self._now(), self._last)})
        self._store.swap_pointer(self._key, later.model_dump(mode="json"), seen=self._pointer)
        # whether or not that was answered: what counts is what is there
        written = self._store.read_pointer(self._key)
        if written is not None and written.value.get("token") == later.token:
            self._pointer, self.claim = written, _read(self._store, self._key, written)

    def _keep(self) -> None:
        while not self._over.wait(RENEW_S):
            try:
                self.renew()
            # the store may be there again before the claim ends; a thread that ended in silence would give it away
            except Exception as error:
                log.warning("the claim on the target %s is not renewed: %s", self.claim.target, error)

    def end(self) -> None:
        """Give it back; what was taken by another is left alone."""
        self._over.set()
        self._keeping.join()
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
        longest_s: how many seconds it can take at the longest, putting back included. Until then it is renewed as long
            as its owner lives; else another may take it after a minute, and two for clocks that differ.
        now: the time.

    Raises:
        WorldError: somebody else has it; the store cannot be reached.
    """
    key = claim_key(target)
    seen = store.read_pointer(key)
    other = _read(store, key, seen) if seen is not None else None
    if other is not None and not other.ended and now() < datetime.fromisoformat(other.until):
        raise _taken(store, key, other)
    began = now()
    last = began + timedelta(seconds=longest_s + MARGIN_S)
    claim = TargetClaim(
        target=target,
        model=model,
        version=version,
        by=by,
        token=str(uuid4()),
        until=_until(began, last),
    )
    if not store.swap_pointer(key, claim.model_dump(mode="json"), seen=seen):
        found = store.read_pointer(key)
        raise _taken(store, key, _read(store, key, found) if found is not None else claim)
    mine = store.read_pointer(key)
    if mine is None or mine.value.get("token") != claim.token:
        raise _taken(store, key, _read(store, key, mine) if mine is not None else claim)
    held = HeldClaim(store, key, claim, mine, last=last, now=now)
    try:
        yield held
    finally:
        try:
            held.end()
        except PenstockError as error:  # whatever happened within is what matters; the claim ends by itself
            log.warning("the claim on the target %s ends at %s: %s", target, claim.until, error)


def _until(now: datetime, last: datetime) -> str:
    lease = now + timedelta(seconds=LEASE_S + MARGIN_S)
    return min(lease, last).astimezone(UTC).isoformat(timespec="seconds")


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
        f"{other.by} brings {other.model} {other.version} to the target '{other.target}'",
        where=store.location(key),
        todo=(
            "Wait until that is done, look at the releases, and decide again. If it was killed, its claim ends at "
            f"{other.until}: give its command again then, and it is taken over."
        ),
    )
