"""Files of several folders that belong together: matched by their names without suffixes."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from penstock.foundation.errors import UsageError
from penstock.foundation.media_kinds import is_note


@dataclass(frozen=True)
class Matched:
    """The files of one name."""

    name: str
    """Without the suffix."""
    files: Mapping[str, Path]
    """What the folder holds → file, of the folders that have one."""
    fault: str
    """Why they are not complete; empty if they are."""


def match_files(folders: Mapping[str, Path], *, named_by: Collection[str]) -> list[Matched]:
    """Every name that one of the folders ``named_by`` has, in order, with the file of that name in each folder.

    Args:
        folders: what a folder holds, in words (``answer``) → the folder.
        named_by: of these folders no file may be left over; others may hold more than is wanted.

    Raises:
        UsageError: a folder cannot be read, is empty, or holds two files of one name.
    """
    found = {what: files_by_name(folder, passed_over=is_note, held="picture") for what, folder in folders.items()}
    names = sorted({name for what in named_by for name in found[what]})
    return [_matched(name, found) for name in names]


def _matched(name: str, found: Mapping[str, Mapping[str, Path]]) -> Matched:
    missing = next((what for what, files in found.items() if name not in files), None)
    files = {what: files[name] for what, files in found.items() if name in files}
    return Matched(name, files, "" if missing is None else f"there is no {missing} of this name")


def files_by_name(folder: Path, *, passed_over: Callable[[str], bool], held: str) -> dict[str, Path]:
    """The files of a folder by their names without suffixes, in order; folders within it are passed over.

    Args:
        folder: what is read.
        passed_over: whether a file of this name is none of them.
        held: what the folder is to hold, in a word: ``picture``.

    Raises:
        UsageError: it is missing, is no folder, holds none of them, or two of one name.
    """
    if not folder.is_dir():
        what = "this is a file, where a folder is wanted" if folder.exists() else "the folder is missing"
        raise UsageError(what, where=str(folder), todo="Give files throughout, or folders throughout.")
    found: dict[str, Path] = {}
    for path in sorted(folder.iterdir()):
        if passed_over(path.name) or path.is_dir():
            continue
        if path.stem in found:
            what = f"'{found[path.stem].name}' and '{path.name}' have one name"
            raise UsageError(what, where=str(folder), todo="Keep one of them.")
        found[path.stem] = path
    if not found:
        raise UsageError(f"the folder holds no {held}", where=str(folder), todo="Name the one that holds them.")
    return found
