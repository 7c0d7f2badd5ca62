"""Which files of a commit a recipe copies into its image, and where: what ``COPY`` lines say, read and never run."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath

from penstock.environment.recipe import CopyLine, RecipeStage
from penstock.foundation.errors import UsageError

MAX_LOOKS = 2_000_000
"""Times that a file is compared with what a line names."""
ARCHIVES = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz", ".tbz2", ".tar.xz", ".txz", ".tar.zst")
IGNORE_FILES = (".containerignore", ".dockerignore")
MERGED = ("bin/", "sbin/", "lib/", "lib64/")
"""Folders that are links to those of the same name below ``usr`` in most distributions."""


@dataclass(frozen=True)
class CopiedFile:
    """A file of the context."""

    source: Path
    """Relative to the context."""
    places: tuple[str, ...]
    """Where it lies in the image, without a leading ``/``: one of these, which one only the base image tells."""


def copied_files(stage: RecipeStage, files: Sequence[Path]) -> list[CopiedFile]:
    """What a stage, and those that it stands on, copy from the context; of two files in one place the later.

    Args:
        stage: which is built.
        files: of the context, relative to it; links aside.

    Raises:
        UsageError: it would take too long to find out.
    """
    found: dict[str, CopiedFile] = {}
    if sum(len(line.sources) for line in stage.copies) * len(files) > MAX_LOOKS:
        raise UsageError("its COPY lines name too much for these many files", where="build.containerfile")
    for line in stage.copies:
        for copied in _of_line(line, files):
            found[copied.places[0]] = copied
    return list(found.values())


def ignore_files(context: Path, containerfile: Path) -> list[Path]:
    """Files that keep some of the context away from ``COPY``, as buildah and docker look for them."""
    places = [context / name for name in IGNORE_FILES]
    places += [containerfile.with_name(containerfile.name + name) for name in IGNORE_FILES]
    return [place for place in places if place.is_file()]


def _of_line(line: CopyLine, files: Sequence[Path]) -> Iterator[CopiedFile]:
    for source in line.sources:
        # nothing leads out of the context: builders take its root for what is above it
        wanted = PurePosixPath(posixpath.normpath(f"/{source.lstrip('/')}")).parts[1:]
        for file in files:
            if not all(map(fnmatchcase, file.parts, wanted)) or len(file.parts) < len(wanted):
                continue
            below = file.parts[len(wanted) :]
            if not below and line.unpacks and file.name.lower().endswith(ARCHIVES):
                continue
            yield CopiedFile(file, tuple(_places(line, file, below)))


def _places(line: CopyLine, file: Path, below: tuple[str, ...]) -> Iterator[str]:
    """Where a file may come to lie.

    Args:
        line: says where.
        file: relative to the context.
        below: its path in the folder that the line names; empty where the line names the file.
    """
    target = line.target.strip("/")
    if below:
        places = [below]
    elif line.target.endswith("/") or len(line.sources) > 1:
        places = [(file.name,)]
    else:  # a file of that name, or one in a folder of that name
        places = [(), (file.name,)]
    for parts in places:
        place = "/".join((*(part for part in (target,) if part), *parts))
        if place:
            yield place
        if place.startswith(MERGED):
            yield f"usr/{place}"
