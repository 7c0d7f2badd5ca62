"""What a watch asks a store and a repository for, of a release: its record, its answers, the commit of its suite."""

from __future__ import annotations

import subprocess
from pathlib import Path

from tests.unit.evaluation.probed_services import recorded_bundle

from penstock.bundle.directory import Bundle
from penstock.bundle.models import Image
from penstock.foundation.files import sha256_file
from penstock.releases.baseline import Release, published_key
from penstock.sources.git import clone
from penstock.store.archive import archive
from penstock.store.store import Store

MODEL = "recognition-lite"


def git(folder: Path, *arguments: str) -> str:
    """Run git there; returns what it printed."""
    who = ("-c", "user.name=ann", "-c", "user.email=ann@example.org")
    done = subprocess.run(["git", *who, *arguments], cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout.strip()


def committed(folder: Path) -> Path:
    """A folder, made the first commit of a repository."""
    git(folder, "init", "--quiet", "--initial-branch=main")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message=first")
    return folder


def stored_release(store: Store, folder: Path, repository: Path, version: str, *, url: str = "") -> Release:
    """What is checked out in a repository, as a release of it.

    Args:
        store: where its record and its answers go.
        folder: its bundle is made below it.
        repository: holds it.
        version: whose.
        url: where others find the repository; itself by default.
    """
    commit, run_id = git(repository, "rev-parse", "HEAD"), f"run-{version}"
    bundle = Bundle(recorded_bundle(folder / run_id, repository, run_id=run_id))
    archive(bundle, store, model=MODEL, run_id=run_id)
    tree = clone(str(repository), commit, folder / f"tree-{version}", allow_local=True).tree
    record = Release(
        model=MODEL,
        version=version,
        run_id=run_id,
        url=url or str(repository),
        commit=commit,
        tree=tree,
        weights=[],
        image=Image(kind="process", digest=""),
        manifest_sha256=sha256_file(bundle.manifest_file),
        replaces=None,
    )
    write_release(store, folder, record)
    return record


def write_release(store: Store, folder: Path, record: Release) -> None:
    """Its record alone."""
    file = folder / f"{record.version}.json"
    file.write_text(record.model_dump_json(), encoding="utf-8")
    store.put_file(published_key(MODEL, record.version), file, sha256_file(file))
