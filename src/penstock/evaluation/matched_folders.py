"""Files of several folders that belong together: matched by their names without suffixes."""

from __future__ import annotations

from collections.abc import Collection, Mapping
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
    found = {what: _by_stem(folder) for what, folder in folders.items()}
    names = sorted({name for what in named_by for name in found[what]})
    return [_matched(name, found) for name in names]


def _matched(name: str, found: Mapping[str, Mapping[str, Path]]) -> Matched:
    missing = next((what for what, files in found.items() if name not in files), None)
    files = {what: files[name] for what, files in found.items() if name in files}
    return Matched(name, files, "" if missing is None else f"there is no {missing} of this name")


def _by_stem(folder: Path) -> dict[str, Path]:
    if not folder.is_dir():
        what = "this is a file, where a folder is wanted" if folder.exists() else "the folder is missing"
        raise UsageError(what, where=str(folder), todo="Name a folder of files, as the others are.")
    found: dict[str, Path] = {}
    for path in sorted(folder.iterdir()):
        if is_note(path.name) or path.is_dir():
            continue
        if path.stem in found:
            what = f"'{found[path.stem].name}' and '{path.name}' have one name"
            raise UsageError(what, where=str(folder), todo="Keep one of them.")
        found[path.stem] = path
    if not found:
        raise UsageError("the folder holds no picture", where=str(folder), todo="Name the one that holds them.")
    return found
