"""What people do with published releases: roll back, promote, withdraw. Compare-and-swap, on record, done once.

Where a release has a target, it is served there first, and the pointer moves once it serves (docs/adr/0038).
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

from penstock.foundation.errors import Interrupted, UsageError, WorldError
from penstock.releases.baseline import (
    Baseline,
    Current,
    Release,
    current_release,
    finish,
    move,
    owner,
    release_of,
    withdrawn,
)
from penstock.releases.history import has_been_current, read_log, released
from penstock.releases.moves import STANDS, Kind, Move, next_number, stated_author, stated_reason
from penstock.releases.release import hold_judged_against
from penstock.releases.standing_verdict import hold_standing
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
    target: str | None = None
    """Where the pair was brought to; ``None``: nowhere."""


class Serving(Protocol):
    """How releases are brought to their targets: :class:`penstock.targets.delivery.Delivery`."""

    def claimed(self, target: str, release: Release, *, back: bool) -> AbstractContextManager[None]:
        """Nobody else changes the target within.

        Args:
            target: its name.
            release: what is to be served.
            back: it is rolled back to: it has served before, and a waiver that is over since does not stop it.

        Raises:
            PenstockError: the release may not be served there, or somebody else changes it.
        """

    def served(self, target: str, release: Release, current: Release | None) -> AbstractContextManager[None]:
        """The target serves the release within; it goes on if that ends well, else what was there is put back.

        Args:
            target: its name.
            release: what is to be served.
            current: what the pointer says until then.

        Raises:
            PenstockError: the release does not serve; what was there is back.
        """


@dataclass(frozen=True)
class _Planned:
    """What an act comes to, as the store is now."""

    seen: Current
    release: Release | None
    """What is to be current; ``None``: it is already."""
    target: str | None
    """Where it has to be served."""


def roll_back(
    store: Store,
    model: str,
    version: str | None = None,
    *,
    reason: str,
    by: str = "",
    serving: Serving | None = None,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Act:
    """Make an earlier release the current one again.

    Args:
        store: where the model is released.
        model: its name.
        version: which; ``None``: the one before the current release, unless that came by a rollback already: a command
            that is given twice must not go back twice. The current release, by its version, is brought to its target
            once more, whatever its waivers, and nothing is written.
        reason: why, for those who read the log.
        by: who says so; the account that this runs as where nobody is named.
        serving: brings it to its target, if it or the current release has one.
        now: the time.

    Raises:
        UsageError: nothing is released, there is no such version or none before, it was withdrawn, the reason is empty
            or too long, or it has a target and ``serving`` is missing.
        WorldError: the evidence of that release is not in the store any more; it could not be served; the store cannot
            be reached.
    """

    def target(current: Current) -> str | None:
        if version is not None:
            return version
        became = current.baseline.became
        if became is not None and became.kind == "rolled back":
            return None
        return _before(store, current.baseline)

    return _make_current(store, model, target, "rolled back", reason, by, serving, now, again=version is not None)


def promote(
    store: Store,
    model: str,
    version: str,
    *,
    reason: str = "",
    by: str = "",
    serving: Serving | None = None,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Act:
    """Make a published release the current one: one that waits for its target, or an earlier one again.

    As :func:`roll_back` else; the reason may be empty.

    Raises:
        SupersededError: it has not been current yet, and was judged against another release than the current one.
        VoidVerdictError: a waiver in its verdict is over by now.
    """
    why = reason or STANDS
    return _make_current(store, model, lambda _: version, "promoted", why, by, serving, now, again=True)


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
        if current.baseline.current_version == version:
            raise UsageError(
                f"version {version} is the current release",
                where=store.uri,
                todo=f"Roll back first: penstock rollback {model} --reason TEXT",
            )
        entry = _entry(store, current.baseline, release, "withdrawn", why, author, now)
        value = current.baseline.model_copy(update={"move": entry})
        if move(store, value, seen=current):
            return Act(entry, value, entry)
    raise _contended(store)


def _make_current(
    store: Store,
    model: str,
    choose: Callable[[Current], str | None],
    kind: Kind,
    reason: str,
    by: str,
    serving: Serving | None,
    now: Callable[[], datetime],
    *,
    again: bool,
) -> Act:
    """``again``: who named the version means that one, so the current release is brought to its target once more."""
    why, author = stated_reason(reason), stated_author(by)
    planned = _plan(store, model, choose)
    if kind == "rolled back" and planned.release is not None:
        _hold_served_before(store, planned.seen.baseline, planned.release)
    served_again = planned.target is not None and serving is not None
    if kind == "promoted" and (planned.release is not None or served_again):
        # also of the current release that is brought to its target once more; a rollback must not wait for a waiver
        promoted = planned.release or release_of(store, planned.seen.baseline)
        hold_standing(store, promoted, now().astimezone(UTC).date())
    if planned.target is None:
        return _swap(store, model, choose, planned, kind, why, author, now)
    if planned.release is None and (serving is None or not again):
        return Act(None, planned.seen.baseline)
    wanted = planned.release or release_of(store, planned.seen.baseline)
    if serving is None:
        raise UsageError(
            f"it is served at the target '{planned.target}'",
            where=f"{model} {wanted.version}",
            todo="Say where that is: --targets targets.yaml, as the platform keeps it.",
        )
    with serving.claimed(planned.target, wanted, back=kind == "rolled back"):
        # somebody may have come first while we waited for the target
        now_planned = _plan(store, model, choose)
        _hold_unmoved(planned, now_planned)
        before = now_planned.seen.baseline
        current = release_of(store, before) if before.serves else None
        with serving.served(planned.target, wanted, current):
            return _swap(store, model, choose, now_planned, kind, why, author, now)


def _plan(store: Store, model: str, choose: Callable[[Current], str | None]) -> _Planned:
    """What is to be current, as the store is now, checked; and where it has to be served."""
    seen = _current(store, model)
    pointer, version = seen.baseline, choose(seen)
    today = release_of(store, pointer) if pointer.serves else None
    if version is None or version == pointer.current_version:
        return _Planned(seen, None, today.target if today is not None else None)
    release = _release(store, pointer, version)
    _hold_usable(store, release)
    if release.target is not None and not has_been_current(release, read_log(store, pointer)):
        again = "Release it again under a new version: it is compared with the current release then."
        hold_judged_against(pointer, release, "nothing was promoted", again)
    # one that was released before its model had a target takes the place of what is served there
    return _Planned(seen, release, release.target or (today.target if today is not None else None))


def _hold_served_before(store: Store, current: Baseline, release: Release) -> None:
    """Check that one can go back to a release: what still waits is promoted, which asks for its waivers too."""
    if not has_been_current(release, read_log(store, current)):
        raise UsageError(
            f"version {release.version} waits for its target '{release.target}': it has never been current",
            where=store.uri,
            todo=f"To make it current: penstock promote {release.model} {release.version}",
        )


def _hold_unmoved(before: _Planned, after: _Planned) -> None:
    """Check that an act is still about the same releases."""

    def told(planned: _Planned) -> tuple[str | None, ...]:
        chosen = planned.release.version if planned.release is not None else None
        return planned.target, planned.seen.baseline.current_version, chosen

    if told(before) != told(after):
        raise WorldError(
            f"somebody else made {after.seen.baseline.current_version} the current release meanwhile",
            where=after.seen.baseline.model,
            todo="Look at the releases, and decide again.",
        )


def _swap(
    store: Store,
    model: str,
    choose: Callable[[Current], str | None],
    planned: _Planned,
    kind: Kind,
    why: str,
    author: str,
    now: Callable[[], datetime],
) -> Act:
    """Move the pointer, if the store still says what was planned; with a target, it serves there already."""
    for _ in range(ATTEMPTS):
        latest = _plan(store, model, choose)
        if latest.target is not None or planned.target is not None:
            _hold_unmoved(planned, latest)
        release, before = latest.release, latest.seen.baseline
        if release is None:
            return Act(None, before, target=planned.target)
        entry = _entry(store, before, release, kind, why, author, now)
        value = Baseline(
            model=model,
            version=release.version,
            run_id=release.run_id,
            commit=release.commit,
            weights=release.weights,
            image=release.image,
            manifest_sha256=release.manifest_sha256,
            time=entry.time,
            repository=owner(store, before),
            release=release,
            transfer=before.transfer,
            move=entry,
            became=entry,
        )
        if _moved(store, value, latest.seen):
            return Act(entry, value, target=planned.target)
    raise _contended(store)


def _moved(store: Store, value: Baseline, seen: Current) -> bool:
    """Move the pointer; where that ends in an error, look whether it has moved all the same.

    The answer may have been lost on its way, or only what belongs to the entry not have been written, which the next
    act makes up for. A target that serves must then not be put back.
    """
    try:
        return move(store, value, seen=seen)
    except (WorldError, Interrupted, KeyboardInterrupt):
        now = current_release(store, value.model)
        if now is None or now.baseline.became != value.became:  # the log may have gone on since
            raise
        return True


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
    if not current.serves:
        raise UsageError(f"no release of {current.model} is current yet", where=store.uri)
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
        before=current.current_version,
        reason=reason,
        by=by,
        time=now().astimezone(UTC).isoformat(timespec="seconds"),
    )


def _contended(store: Store) -> WorldError:
    return WorldError("others keep moving the current release", where=store.uri, todo="Try again.")
