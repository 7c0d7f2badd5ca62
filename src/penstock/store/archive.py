"""Putting a run's bundle into the store for good, and bringing one back."""

from __future__ import annotations

import logging
import shutil
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from penstock.bundle.directory import Bundle, read_model
from penstock.bundle.models import Manifest
from penstock.foundation.errors import UsageError, WorldError
from penstock.foundation.files import disk_errors, inside, regular_files, sha256_file
from penstock.store.store import NotStoredError, Store, check_key

log = logging.getLogger(__name__)

WORKERS = 4
PARTIAL = ".penstock-fetch-"
Result = TypeVar("Result")


@dataclass(frozen=True)
class ArchiveResult:
    """What :func:`archive` stored."""

    uri: str
    """Where the run lies in the store."""
    files: int
    bytes: int
    uploaded: int
    """How many files were not there before."""
    manifest_sha256: str


def run_key(model: str, run_id: str) -> str:
    """``runs/MODEL/RUN``.

    Raises:
        UsageError: a name that cannot be part of a key.
    """
    return f"runs/{name_part(model, 'model')}/{name_part(run_id, 'run')}"


def name_part(text: str, what: str) -> str:
    """Check that a name is one part of a key.

    Raises:
        UsageError: it is not.
    """
    if "/" in text or text.startswith("."):
        raise UsageError(f"'{text[:80]}' cannot name a {what} in the store", todo="Use letters, digits, '-', '_', '.'.")
    return check_key(text)


def archive(bundle: Bundle, store: Store, *, model: str, run_id: str, root: str | None = None) -> ArchiveResult:
    """Store every file of a bundle under ``runs/MODEL/RUN/``, or below ``root``; the manifest last.

    A bundle without a manifest is sealed first; one with it is compared with it. What is there already is passed over,
    so that an archive that broke off goes on, and one that is complete stays as it is. Until the manifest is there,
    the run does not count as archived.

    Raises:
        UsageError: the bundle does not match its manifest, or holds something that is not a plain file.
        WorldError: other content is stored under this run; the store cannot be reached or is full.
    """
    root = root or run_key(model, run_id)
    manifest = bundle.verify() if bundle.manifest_file.exists() else bundle.seal()
    digest = sha256_file(bundle.manifest_file)
    manifest_key = f"{root}/{bundle.manifest_file.name}"
    size = sum((bundle.path / name).stat().st_size for name in manifest.files)
    done = ArchiveResult(store.location(root), len(manifest.files) + 1, size, 0, digest)
    there = store.digest(manifest_key)
    if there == digest:
        log.info("%s is archived already", done.uri)
        return done
    if there is not None:
        raise WorldError(
            f"another run with the id '{run_id}' is archived there, and evidence is never replaced",
            where=done.uri,
            todo="Start the run again under a new id.",
        )

    store.forget_unfinished(root)

    def put(item: tuple[str, str]) -> bool:
        name, sha256 = item
        return store.put_file(f"{root}/{name}", bundle.path / name, sha256)

    uploaded = sum(_each(put, sorted(manifest.files.items())))
    uploaded += store.put_file(manifest_key, bundle.manifest_file, digest)
    log.info("%s: %d of %d files stored", done.uri, uploaded, done.files)
    return ArchiveResult(done.uri, done.files, done.bytes, uploaded, digest)


def fetch(
    store: Store,
    model: str,
    run_id: str,
    directory: Path,
    *,
    only: Sequence[str] = (),
    manifest_sha256: str | None = None,
) -> Bundle:
    """Bring an archived bundle back to ``directory``, every file compared with the manifest, which comes last.

    Args:
        store: where it lies.
        model: the model's name.
        run_id: the run.
        directory: must be new or empty, or hold this bundle (what is missing is brought) or another archived one
            (it is replaced). It may be a mount point.
        only: names or folders (``measurements.jsonl``, ``report``) to bring; all by default. ``manifest.json`` always
            comes. A bundle that was brought in part does not pass :meth:`Bundle.verify`.
        manifest_sha256: what the manifest must be, as a baseline's pointer names it.

    Raises:
        UsageError: the directory holds something else, or the manifest names a path outside.
        WorldError: no such run, a damaged file, or the store cannot be reached.
    """
    root = run_key(model, run_id)
    with disk_errors(directory):
        directory.mkdir(parents=True, exist_ok=True)
        _check_replaceable(store, root, directory)
        # The unfinished copy lies inside the directory, which may be a mount point, and marks all of it as ours.
        partial = Path(tempfile.mkdtemp(prefix=PARTIAL, dir=directory))
        try:
            manifest_file = partial / Bundle(directory).manifest_file.name
            try:
                store.get_file(f"{root}/{manifest_file.name}", manifest_file, manifest_sha256)
            except NotStoredError:
                where = store.location(root)
                raise NotStoredError("the store has no such run", where=where, todo="Check the run's id.") from None
            manifest = read_model(manifest_file, Manifest)
            _clear(directory, keep=partial, manifest=manifest_file.read_bytes())
            wanted = {name: digest for name, digest in manifest.files.items() if _chosen(name, only)}
            _get(store, root, wanted, partial, directory)
            for name in [*wanted, manifest_file.name]:  # the manifest last: a bundle without it does not count
                if (partial / name).exists():
                    (directory / name).parent.mkdir(parents=True, exist_ok=True)
                    (partial / name).replace(directory / name)
        finally:
            shutil.rmtree(partial, ignore_errors=True)
    return Bundle(directory)


def _check_replaceable(store: Store, root: str, directory: Path) -> None:
    """Make sure that everything in the directory may be replaced: nothing is lost that is not in the store as well.

    Raises:
        UsageError: the directory holds something else.
    """
    content = [path.name for path in directory.iterdir() if path.name != "lost+found"]
    if not content or any(name.startswith(PARTIAL) for name in content):
        return
    here = Bundle(directory)
    if here.manifest_file.is_file():
        manifest = read_model(here.manifest_file, Manifest)
        files = [path.as_posix() for path in regular_files(directory) if path.parts[0] != "lost+found"]
        known = all(name in manifest.files or name == here.manifest_file.name for name in files)
        roots = [root]
        if here.run_file.is_file():
            run = here.run()
            roots.append(run_key(run.model, run.run_id))
        digest = sha256_file(here.manifest_file)
        if known and any(store.digest(f"{candidate}/{here.manifest_file.name}") == digest for candidate in roots):
            return
    raise UsageError("the directory holds something else", where=str(directory), todo="Choose another directory.")


def _clear(directory: Path, *, keep: Path, manifest: bytes) -> None:
    """Empty the directory, unless it holds the very bundle that is wanted."""
    here = Bundle(directory).manifest_file
    if here.is_file() and here.read_bytes() == manifest:
        return
    here.unlink(missing_ok=True)
    for path in directory.iterdir():
        if path != keep and path.name != "lost+found":
            shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()


def _get(store: Store, root: str, wanted: dict[str, str], partial: Path, directory: Path) -> None:
    """Bring what is not in ``directory`` yet to ``partial``."""

    def get(item: tuple[str, str]) -> None:
        name, digest = item
        here = inside(directory, name, where=f"{root}/manifest.json")
        if not here.is_file() or sha256_file(here) != digest:
            # "partial" is ours alone: a name that stays inside the one stays inside the other
            store.get_file(f"{root}/{name}", partial / name, digest)

    _each(get, sorted(wanted.items()))


def _chosen(name: str, only: Sequence[str]) -> bool:
    return not only or any(name == prefix.rstrip("/") or name.startswith(prefix.rstrip("/") + "/") for prefix in only)


def _each(work: Callable[[tuple[str, str]], Result], items: Sequence[tuple[str, str]]) -> list[Result]:
    """Do the same with every item, a few at a time. After a failure nothing further is begun."""
    with ThreadPoolExecutor(WORKERS, thread_name_prefix="store") as pool:
        futures = [pool.submit(work, item) for item in items]
        try:
            return [future.result() for future in futures]
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
