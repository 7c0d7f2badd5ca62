"""Putting a suite from elsewhere where the contract's readers find it: fetched once, kept by its address, verified."""

from __future__ import annotations

import hashlib
import logging
import os
import tempfile
from pathlib import Path

from penstock.bundle.models import SuiteOrigin
from penstock.contract.placed_suite import RECORD
from penstock.contract.suite_sources import FOLDER, PLACE, SuiteSource
from penstock.foundation.errors import UsageError
from penstock.foundation.files import disk_errors, inside, read_regular, write_json, write_text
from penstock.foundation.handles import discard_tree
from penstock.sources.fetch import copy_with_digest
from penstock.sources.weights import alone
from penstock.suites.suite_fetch import SuiteAccess, bring
from penstock.suites.suite_files import MAX_SUMS_BYTES, SUMS, as_text, digest_of, parse

log = logging.getLogger(__name__)
CACHE = "suites"
FILES = "files"


def provide_suite(
    source: SuiteSource, directory: Path, cache_dir: Path, access: SuiteAccess, *, fresh: bool
) -> SuiteOrigin:
    """Put a suite into :data:`~penstock.contract.suite_sources.FOLDER` of a repository, whole or not at all.

    It goes through ``cache_dir/suites``, where an entry is kept for each address: what was once brought is not fetched
    again. Every file is verified as it is copied; a damaged entry is fetched again, and said.

    Args:
        source: where it comes from.
        directory: the repository's files.
        cache_dir: kept between runs and shared by models.
        access: credentials and limits.
        fresh: the repository has just been cloned, and may hold nothing at Penstock's place.

    Raises:
        UsageError: the repository holds something there; the suite is not what its digest says, or may not be one.
        WorldError: it cannot be fetched, or the disk is full.
    """
    _check_place(directory, fresh=fresh)
    entry = cache_dir / CACHE / hashlib.sha256(source.text.encode()).hexdigest()
    with alone(entry):
        files = _kept(source, entry)
        if files is None or not _placed(files, entry, directory):
            if files is not None:
                log.warning("%s: the cached copy is damaged and is fetched again", source.text)
            files = _fetched(source, entry, access)
            if not _placed(files, entry, directory):
                raise UsageError("the files changed while they were copied", where=str(entry), todo="Try again.")
    origin = SuiteOrigin(address=source.text, files=digest_of(files))
    write_json(directory / RECORD, {"address": origin.address, "digest": origin.files})
    return origin


def provide_place(directory: Path) -> None:
    """Make the folder of a suite in a clone that is put to another one's: its contract says that it is there.

    Raises:
        UsageError: the repository holds a link or a file there.
    """
    _check_place(directory, fresh=False)
    with disk_errors(directory):
        inside(directory, FOLDER, where=FOLDER).mkdir(parents=True, exist_ok=True)


def _check_place(directory: Path, *, fresh: bool) -> None:
    place = directory / PLACE
    if os.path.lexists(place) and (fresh or place.is_symlink() or not place.is_dir()):
        raise UsageError(
            f"the repository holds a '{PLACE}' of its own",
            where=PLACE,
            todo="Remove it: Penstock puts a suite from elsewhere there.",
        )


def _kept(source: SuiteSource, entry: Path) -> dict[str, str] | None:
    """The list of the files that are in the cache; ``None``: there is none that can be used."""
    sums = entry / SUMS
    if not sums.is_file():
        return None
    try:
        content = read_regular(sums, max_bytes=MAX_SUMS_BYTES, where=str(sums))
        if source.kind in ("s3", "workspace") and hashlib.sha256(content).hexdigest() != source.digest:
            return None
        return parse(content, where=str(sums))
    except UsageError:
        return None


def _fetched(source: SuiteSource, entry: Path, access: SuiteAccess) -> dict[str, str]:
    prefix = f".{entry.name}-"
    with disk_errors(entry):
        for leftover in (path for path in entry.parent.iterdir() if path.name.startswith(prefix)):
            discard_tree(leftover)  # of a fetch that was killed: nobody else works on this entry now
        discard_tree(entry)
        workshop = Path(tempfile.mkdtemp(prefix=prefix, dir=entry.parent))
        try:
            (workshop / "made").mkdir()
            (workshop / "about").mkdir()
            files = bring(source, workshop / "made" / FILES, workshop / "about", access)
            write_text(workshop / "made" / SUMS, as_text(files))
            (workshop / "made").rename(entry)
        finally:
            discard_tree(workshop)
    log.info("suite: fetched %d files from %s", len(files), source.text)
    return files


def _placed(files: dict[str, str], entry: Path, directory: Path) -> bool:
    """Whether every file could be copied as the list says."""
    place, partial = directory / FOLDER, directory / PLACE / ".partial"
    with disk_errors(place):
        (directory / RECORD).unlink(missing_ok=True)
        discard_tree(partial)
        partial.mkdir(parents=True)
        # in a working copy it is not for git
        write_text(directory / PLACE / ".gitignore", "*\n")
        for path, digest in files.items():
            kept = entry / FILES / path
            if not kept.is_file() or copy_with_digest(kept, partial / path) != digest:
                discard_tree(partial)
                return False
        discard_tree(place)
        partial.rename(place)
    return True
