"""What people do with published releases: roll back, promote, withdraw. Compare-and-swap, on record, done once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from penstock.foundation.errors import UsageError, WorldError
from penstock.releases.baseline import Baseline, Current, Release, current_release, finish, move, owner, withdrawn
from penstock.releases.history import released
from penstock.releases.moves import Kind, Move, next_number, stated_author, stated_reason
from penstock.store.archive import name_part, run_key
from penstock.store.store import Store

ATTEMPTS = 10


@dataclass(frozen=True)
class Act:
    """What became of a command."""

    move: Move | None
    """The entry in the log; ``None``: nothing had to be done."""
    current: Baseline
    """The current release now."""
    withdrawal: Move | None = None
    """Of a version that was withdrawn before: the entry that did it."""


def roll_back(
    store: Store,
    model: str,
    version: str | None = None,
    *,
    reason: str,
    by: str = "",
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Act:
    """Make an earlier release the current one again.

    Args:
        store: where the model is released.
        model: its name.
        version: which; ``None``: the one before the current release, unless that came by a rollback already: a command
            that is given twice must not go back twice.
        reason: why, for those who read the log.
        by: who says so; the account that this runs as where nobody is named.
        now: the time.

    Raises:
        UsageError: nothing is released, there is no such version or none before, it was withdrawn, or the reason is
            empty or too long.
        WorldError: the evidence of that release is not in the store any more; the store cannot be reached.
    """

    def target(current: Current) -> str | None:
        if version is not None:
            return version
        became = current.baseline.became
        if became is not None and became.kind == "rolled back":
            return None
        return _before(store, current.baseline)

    return _make_current(store, model, target, "rolled back", reason, by, now)


def promote(
    store: Store,
    model: str,
    version: str,
    *,
    reason: str,
    by: str = "",
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Act:
    """Make a published release the current one: forward again after a rollback, say. Else as :func:`roll_back`."""
    return _make_current(store, model, lambda _: version, "promoted", reason, by, now)


def withdraw(
    store: Store,
    model: str,
    version: str,
    *,
    reason: str,
    by: str = "",
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Act:
    """Mark a release as one that nobody should use. It stays on record, and is never current or published again.

    Raises:
        UsageError: there is no such release, it is the current one, or the reason is empty or too long.
        WorldError: the store cannot be reached.
    """
    why, author = stated_reason(reason), stated_author(by)
    for _ in range(ATTEMPTS):
        current = _current(store, model)
        release = _release(store, current.baseline, version)
        gone = withdrawn(store, model, version)
        if gone is not None:
            return Act(None, current.baseline, gone)
        if current.baseline.version == version:
            raise UsageError(
                f"version {version} is the current release",
                where=store.uri,
                todo=f"Roll back first: penstock rollback {model} --reason TEXT",
            )
        entry = _entry(store, current.baseline, release, "withdrawn", why, author, now)
        entry = entry.model_copy(update={"before": current.baseline.version})
        value = current.baseline.model_copy(update={"move": entry})
        if move(store, value, seen=current):
            return Act(entry, value, entry)
    raise _contended(store)


def _make_current(
    store: Store,
    model: str,
    target: Callable[[Current], str | None],
    kind: Kind,
    reason: str,
    by: str,
    now: Callable[[], datetime],
) -> Act:
    why, author = stated_reason(reason), stated_author(by)
    for _ in range(ATTEMPTS):
        current = _current(store, model)
        version = target(current)
        if version is None or version == current.baseline.version:
            return Act(None, current.baseline)
        release = _release(store, current.baseline, version)
        _hold_usable(store, release)
        entry = _entry(store, current.baseline, release, kind, why, author, now)
        value = Baseline(
            model=model,
            version=release.version,
            run_id=release.run_id,
            commit=release.commit,
            weights=release.weights,
            image=release.image,
            manifest_sha256=release.manifest_sha256,
            time=entry.time,
            repository=owner(store, current.baseline),
            release=release,
            transfer=current.baseline.transfer,
            move=entry,
            became=entry,
        )
        if move(store, value, seen=current):
            return Act(entry, value)
    raise _contended(store)


def _current(store: Store, model: str) -> Current:
    """The current release, whose records are complete."""
    current = current_release(store, model)
    if current is None:
        raise UsageError(f"no model '{model}' is released in this store", where=store.uri, todo="Check the name.")
    finish(store, current.baseline)
    return current


def _release(store: Store, current: Baseline, version: str) -> Release:
    name_part(version, "version")
    release = released(store, current).get(version)
    if release is None:
        raise UsageError(
            f"no version '{version}' of {current.model} is published",
            where=store.uri,
            todo=f"What is: penstock releases {current.model}",
        )
    return release


def _before(store: Store, current: Baseline) -> str:
    """The version that the current release took the place of, or the nearest before it that is not withdrawn."""
    by_run = {there.run_id: there for there in released(store, current).values()}
    release: Release | None = by_run.get(current.run_id)
    while release is not None and release.replaces is not None:
        release = by_run.get(release.replaces)
        if release is not None and withdrawn(store, current.model, release.version) is None:
            return release.version
    raise UsageError(
        f"there is no release before {current.version}", where=store.uri, todo="Name one that is published: --to."
    )


def _hold_usable(store: Store, release: Release) -> None:
    """Check that a release may be current: it was not withdrawn, and later ones can be judged against its evidence."""
    gone = withdrawn(store, release.model, release.version)
    if gone is not None:
        raise UsageError(f"version {release.version} was withdrawn by {gone.by}: {gone.reason}", where=store.uri)
    manifest = f"{run_key(release.model, release.run_id)}/manifest.json"
    if store.digest(manifest) != release.manifest_sha256:
        raise WorldError(
            f"the evidence of {release.version} is not in the store any more, or is another",
            where=store.location(manifest),
            todo="Restore it from a copy: the next release is judged against it.",
        )


def _entry(
    store: Store, current: Baseline, release: Release, kind: Kind, reason: str, by: str, now: Callable[[], datetime]
) -> Move:
    return Move(
        model=release.model,
        number=next_number(store, current.model, current.move),
        kind=kind,
        version=release.version,
        run_id=release.run_id,
        before=current.version,
        reason=reason,
        by=by,
        time=now().astimezone(UTC).isoformat(timespec="seconds"),
    )


def _contended(store: Store) -> WorldError:
    return WorldError("others keep moving the current release", where=store.uri, todo="Try again.")
