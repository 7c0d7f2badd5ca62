"""The history of a model: every release, who released it and when, and what became of it."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from penstock.foundation.errors import UsageError
from penstock.releases.baseline import AnyRecord, Baseline, Release, current_release, published_prefix, read_record
from penstock.releases.moves import Move, moves_prefix, withdrawn_prefix
from penstock.store.archive import run_key
from penstock.store.store import Store

WORKERS = 8


@dataclass(frozen=True)
class PublishedRelease:
    """A release, and what the log says of it."""

    release: Release
    published: Move | None
    """Who and when; ``None``: a version of Penstock that kept no log released it."""
    withdrawn: Move | None
    evidence: str
    """Where its bundle lies."""
    current: bool
    waits: bool
    """It was published, and has not become current yet: it was not promoted to its target."""


@dataclass(frozen=True)
class ReleaseHistory:
    """All of a model."""

    current: Baseline
    releases: list[PublishedRelease]
    """The newest first."""
    moves: list[Move]
    """The log, in its order."""


def history(store: Store, model: str) -> ReleaseHistory:
    """Read it. Nothing is written: what the pointer carries and nobody has written yet is read from there.

    Raises:
        UsageError: nothing of this name is released.
        WorldError: the store cannot be reached, or a record is damaged.
    """
    current = current_release(store, model)
    if current is None:
        raise UsageError(f"no model '{model}' is released in this store", where=store.uri, todo="Check the name.")
    log, found = read_log(store, current.baseline), released(store, current.baseline)
    published = {move.version: move for move in log if move.kind == "published"}
    withdrawn = {move.version: move for move in read_all(store, withdrawn_prefix(model), Move)}
    withdrawn |= {move.version: move for move in log if move.kind == "withdrawn"}
    lines = [
        PublishedRelease(
            release,
            published.get(release.version),
            withdrawn.get(release.version),
            store.location(run_key(model, release.run_id)),
            current=release.version == current.baseline.current_version,
            waits=not has_been_current(release, log),
        )
        for release in _in_order(list(found.values()), published)
    ]
    return ReleaseHistory(current.baseline, lines[::-1], log)


def has_been_current(release: Release, log: Sequence[Move]) -> bool:
    """Whether a release is the current one or was: at once without a target, else since somebody moved the pointer."""
    moved = any(move.version == release.version and move.kind in ("promoted", "rolled back") for move in log)
    return release.target is None or moved


def released(store: Store, current: Baseline) -> dict[str, Release]:
    """Version → the record of every release that has been current, or waits for its target.

    An older version of Penstock wrote the record before it moved the pointer: one that was killed in between has left
    the record of what was never released.
    """
    records = {release.version: release for release in read_all(store, published_prefix(current.model), Release)}
    if current.release is not None:
        records.setdefault(current.version, current.release)
    if current.waiting is not None:
        records.setdefault(current.waiting.version, current.waiting)
    by_run = {release.run_id: release.version for release in records.values()}
    todo = [current.version]
    for move in read_log(store, current):
        todo += [move.version] if move.before is None else [move.version, move.before]
    found: dict[str, Release] = {}
    while todo:
        version = todo.pop()
        if version in records and version not in found:
            found[version] = records[version]
            before = by_run.get(records[version].replaces or "")
            todo += [before] if before is not None else []
    return found


def read_log(store: Store, current: Baseline) -> list[Move]:
    """The log, in its order, with the entry that the pointer carries."""
    log = read_all(store, moves_prefix(current.model), Move)
    if current.move is not None and all(move.number != current.move.number for move in log):
        log.append(current.move)
    return log


def read_all(store: Store, prefix: str, model: type[AnyRecord]) -> list[AnyRecord]:
    """Every record below a prefix, by its key."""
    keys = [entry.key for entry in store.list(prefix) if entry.key.endswith(".json")]
    with ThreadPoolExecutor(WORKERS) as pool:
        return list(pool.map(lambda key: read_record(store, key, model), keys))


def _in_order(found: Sequence[Release], published: dict[str, Move]) -> list[Release]:
    """The oldest first: by the log, and before it, where there was none yet, by what each took the place of."""
    by_run = {release.run_id: release for release in found}

    def place(release: Release) -> tuple[int, int]:
        logged = published.get(release.version)
        return (logged.number, 0) if logged is not None else (0, _depth(release, by_run))

    return sorted(found, key=place)


def _depth(release: Release, by_run: dict[str, Release]) -> int:
    """How many releases lie before one."""
    depth, seen = 0, {release.run_id}
    while release.replaces is not None and release.replaces in by_run and release.replaces not in seen:
        seen.add(release.replaces)
        release, depth = by_run[release.replaces], depth + 1
    return depth
