"""Putting a model's weights where it looks for them: fetched apart from the image, verified, scanned."""

from __future__ import annotations

import contextlib
import fcntl
import logging
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from penstock.bundle.models import WeightsFile
from penstock.contract.models import Weights
from penstock.foundation.errors import UsageError, WorldError
from penstock.foundation.files import disk_errors, inside, sha256_file
from penstock.sources.fetch import Fetcher, copy_with_digest, wrong_digest
from penstock.sources.git_url import mask
from penstock.sources.scan import Scanned, scan
from penstock.sources.tree import is_pointer

log = logging.getLogger(__name__)


def provide(
    weights: Sequence[Weights],
    source_dir: Path,
    cache_dir: Path,
    *,
    fetcher: Fetcher | None = None,
    given: Collection[str] = (),
) -> list[WeightsFile]:
    """Put every file of weights in place, with the SHA-256 that the contract names.

    ``lfs`` and relative paths are verified where the clone put them (and copied if the model looks elsewhere).
    ``https``, ``s3`` and ``hf`` go through ``cache_dir/weights/SHA256``, which is verified each time: a damaged entry
    is fetched again, and said. The model gets a copy, so that nothing that it does reaches the cache. Every file is
    then scanned, see :mod:`penstock.sources.scan`.

    Args:
        weights: from the contract.
        source_dir: the clone.
        cache_dir: kept between runs and shared by models.
        fetcher: limits and credentials.
        given: paths of weights that a person named for this run: they alone may be files of this machine, if the
            fetcher allows that.

    Returns:
        One record a file, in the contract's order.

    Raises:
        UsageError: a path that leaves the repository, a missing file, another SHA-256, a pickle that would run code.
        WorldError: the source cannot be reached, or Git LFS has not brought the file.
    """
    fetcher = fetcher or Fetcher()
    strict = replace(fetcher, allow_local=False)
    return [
        _provide(item, f"weights[{number}]", source_dir, cache_dir, fetcher if item.path in given else strict)
        for number, item in enumerate(weights)
    ]


def _provide(item: Weights, field: str, source_dir: Path, cache_dir: Path, fetcher: Fetcher) -> WeightsFile:
    target = _place(source_dir, item.path, f"{field}.path")
    placed = False
    if item.source == "lfs" or "://" not in item.source:
        relative = item.path if item.source == "lfs" else item.source
        where = field if item.source == "lfs" else f"{field}.source"
        present = _verified(_place(source_dir, relative, where), relative, item.sha256)
        if present != target:
            log.info("%s: copied from %s", item.path, relative)
            placed = True
            if copy_with_digest(present, target) != item.sha256:
                raise WorldError("the file changed while it was copied", where=relative, todo="Clone again.")
    else:
        fetcher.check(item.source)
        if not (target.is_file() and sha256_file(target) == item.sha256):
            placed = True
            _from_cache(item, target, cache_dir, fetcher)
    size = target.stat().st_size
    try:
        scanned = scan(target, name=item.path)
    except UsageError:
        if placed:  # what is refused is not left where the model would load it
            target.unlink()
        raise
    _say(item.path, size, scanned)
    return WeightsFile(path=item.path, sha256=item.sha256, bytes=size, source=mask(item.source))


def _place(source_dir: Path, relative: str, where: str) -> Path:
    path = inside(source_dir, relative, where=where)
    if ".git" in path.relative_to(source_dir.resolve()).parts:
        raise UsageError(f"the path '{relative}' lies in '.git'", where=where, todo="Choose another path.")
    if path.is_dir():
        raise UsageError(f"'{relative}' is a directory", where=where, todo="Name a file.")
    return path


def _verified(path: Path, relative: str, sha256: str) -> Path:
    """Check that a file of the clone is there, is not a Git LFS pointer, and has the right content."""
    if not path.is_file():
        raise UsageError("the repository has no such file", where=relative, todo="Commit it, or correct the path.")
    if is_pointer(path):
        raise WorldError(
            "this is a Git LFS pointer: its content was not brought",
            where=relative,
            todo="Install git-lfs where the clone runs, and clone with LFS.",
        )
    found = sha256_file(path)
    if found != sha256:
        raise wrong_digest(relative, found, sha256)
    return path


def _from_cache(item: Weights, target: Path, cache_dir: Path, fetcher: Fetcher) -> None:
    cached = cache_dir / "weights" / item.sha256
    with alone(cached):
        if cached.is_file():
            if copy_with_digest(cached, target) == item.sha256:
                log.info("%s: from the cache", item.path)
                return
            log.warning("%s: the cached copy is damaged and is fetched again", item.path)
            target.unlink()
            with disk_errors(cached):
                cached.unlink()
        size = fetcher.fetch(item.source, cached, item.sha256)
        log.info("%s: fetched %d bytes", item.path, size)
        if copy_with_digest(cached, target) != item.sha256:
            raise WorldError("the file changed while it was copied from the cache", where=item.path, todo="Try again.")


@contextlib.contextmanager
def alone(cached: Path) -> Iterator[None]:
    """Wait until no other run fetches the same into the cache."""
    with disk_errors(cached.parent), contextlib.ExitStack() as stack:
        cached.parent.mkdir(parents=True, exist_ok=True)
        lock = stack.enter_context(cached.with_name(f".{cached.name}.lock").open("a"))
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _say(path: str, size: int, scanned: Scanned) -> None:
    if scanned.data_only:
        log.info("%s: %s, %d bytes, verified", path, scanned.format, size)
        return
    log.warning("%s: %s, %d bytes, verified; load it only where no network is", path, scanned.format, size)
