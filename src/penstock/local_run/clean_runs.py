"""What ``penstock clean`` does: which runs may go, and removing them."""

from __future__ import annotations

import contextlib
import datetime
import json
import re
import secrets
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from penstock.bundle.directory import read_model
from penstock.bundle.models import Manifest, Run
from penstock.foundation.errors import PenstockError, UsageError, printable
from penstock.foundation.files import disk_errors, sha256_file
from penstock.local_run.run_folder import link_of, remove_tree
from penstock.local_run.run_list import LocalRun, held, local_runs, size_of, size_words
from penstock.releases.quick_track import VERIFY
from penstock.store.archive import run_key
from penstock.store.open import open_store
from penstock.store.pull_key import pull_key
from penstock.store.store import Store

AGE = re.compile(r"^([0-9]{1,6})(d|h|min)$")
GONE = ".removed-"
"""A run under this name is being removed."""
UNITS = {"d": "days", "h": "hours", "min": "minutes"}


@dataclass(frozen=True)
class Options:
    """The options of ``penstock clean``, as they were given."""

    keep: int = 0
    older_than: str = ""
    unarchived: bool = False
    cache: bool = False
    dry_run: bool = False
    out: Path = Path("runs")
    store: str = ""
    as_json: bool = False


@dataclass(frozen=True)
class Removed:
    """One thing that was, or would be, removed."""

    name: str
    path: Path
    bytes: int
    archived: str
    """Where its evidence is; empty: nowhere else."""


@dataclass(frozen=True)
class Kept:
    """A run that stays although it is old enough."""

    name: str
    why: str


def carry_out(options: Options) -> None:
    """Remove what may go, and say what and how much.

    Raises:
        UsageError: this is not an age; the cache is in use.
        WorldError: something cannot be removed.
    """
    removed: list[Removed] = []
    kept: list[Kept] = []
    stores: dict[str, Store] = {}
    if not options.dry_run:
        _finish(options.out / "runs")
    for run in chosen(local_runs(options.out), options):
        archived, why = archived_at(run, options, stores)
        with held(run.folder) as mine:
            if not mine:
                kept.append(Kept(run.name, "it is running"))
            elif not archived and not options.unarchived:
                kept.append(Kept(run.name, why))
            else:
                removed.append(Removed(run.name, run.folder, run.bytes, archived))
                if not options.dry_run:
                    remove_run(run.folder)
    if options.cache:
        removed += _cache(options)
    _say(removed, kept, options)


def chosen(runs: list[LocalRun], options: Options) -> list[LocalRun]:
    """The runs that are old enough, and not among the newest of their model.

    Args:
        runs: the newest first.
        options: ``keep`` and ``older_than``.
    """
    before = datetime.datetime.now(datetime.UTC) - age(options.older_than)
    newer: Counter[str] = Counter()
    found = []
    for run in runs:
        newer[run.model] += 1
        if newer[run.model] > options.keep and run.began <= before:
            found.append(run)
    return found


def age(text: str) -> datetime.timedelta:
    """``30d``, ``12h``, ``90min``; nothing is no age at all.

    Raises:
        UsageError: it is none.
    """
    if not text:
        return datetime.timedelta()
    found = AGE.match(text)
    if found is None:
        raise UsageError(f"'{text[:40]}' is not an age", where="--older-than", todo="For example 30d, 12h or 90min.")
    return datetime.timedelta(**{UNITS[found[2]]: int(found[1])})


def archived_at(run: LocalRun, options: Options, stores: dict[str, Store]) -> tuple[str, str]:
    """Where the whole of a run's evidence is stored, else empty and why not: its manifest and every file it names."""
    location = options.store or str(run.params.get("store", ""))
    if run.record is None or not run.bundle.manifest_file.is_file() or not location:
        return "", "it is not archived"
    try:
        if location not in stores:
            if "://" not in location and not Path(location).is_dir():
                return "", f"the store {location} is not there"
            stores[location] = open_store(location)
        root = _root(run, run.record)
        store = stores[location]
        if store.digest(f"{root}/{run.bundle.manifest_file.name}") != sha256_file(run.bundle.manifest_file):
            return "", "its manifest is not in the store"
        there = {entry.key.removeprefix(f"{root}/") for entry in store.list(root)}
        if missing := sorted(set(read_model(run.bundle.manifest_file, Manifest).files) - there):
            return "", f"the store lacks {missing[0]}"
        return store.location(root), ""
    except PenstockError as error:
        return "", f"the store cannot be read: {error.what}"


def _root(run: LocalRun, record: Run) -> str:
    """Where *archive* has put the run."""
    if record.track != VERIFY:
        return run_key(record.model, record.run_id)
    given = run.params
    number, fork = str(given.get("pull-request", "")), given.get("fork") == "true"
    return pull_key(record.model, record.run_id, number=number, fork=fork)


def remove_run(folder: Path) -> None:
    """Remove a run's folder and the link to it; a killed removal leaves nothing that looks like a run."""
    gone = folder.with_name(f"{GONE}{folder.name}.{secrets.token_hex(4)}")
    with disk_errors(folder):
        folder.rename(gone)
        link = link_of(folder)
        if link.is_symlink():
            link.unlink()
    remove_tree(gone)


def _finish(folder: Path) -> None:
    """Remove what a killed removal has left."""
    for path in folder.glob(f"{GONE}*"):
        remove_tree(path)


def _cache(options: Options) -> list[Removed]:
    path = options.out / "cache"
    if not path.is_dir():
        return []
    if running := [run.name for run in local_runs(options.out) if run.running]:
        raise UsageError(
            "the cache is in use", where=f"run {running[0]}", todo="Wait for the run, or leave --cache out."
        )
    entry = Removed("cache", path, size_of(path), "")
    if not options.dry_run:
        remove_tree(path)
    return [entry]


def _say(removed: list[Removed], kept: list[Kept], options: Options) -> None:
    total = sum(entry.bytes for entry in removed)
    if options.as_json:
        content = {
            "removed": [
                {"name": entry.name, "bytes": entry.bytes, "archived": entry.archived or None} for entry in removed
            ],
            "kept": [{"name": entry.name, "why": entry.why} for entry in kept],
            "bytes": total,
            "dry_run": options.dry_run,
        }
        sys.stdout.write(json.dumps(content, indent=2, ensure_ascii=False) + "\n")
        return
    verb = "would remove" if options.dry_run else "removed"
    lines = [
        f"{verb} {entry.name} ({size_words(entry.bytes)})"
        + (f"; archived at {entry.archived}" if entry.archived else "")
        for entry in removed
    ]
    lines += [f"kept {entry.name}: {entry.why}" for entry in kept]
    if any(entry.why != "it is running" for entry in kept):
        lines.append("--unarchived removes these, too.")
    lines.append(f"{verb} {size_words(total)}" if removed else "there is nothing to remove")
    with contextlib.suppress(BrokenPipeError):
        sys.stdout.write("".join(printable(line) + "\n" for line in lines))
