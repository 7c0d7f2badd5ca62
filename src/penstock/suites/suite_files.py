r"""The files of a suite from elsewhere: what they may be, and the list of them that a digest is taken of.

The list is what ``sha256sum`` prints, sorted by path, byte by byte: ``DIGEST``, two spaces, ``PATH``, a line feed. So
the digest of a folder can be had without Penstock::

    find . -type f ! -path ./SHA256SUMS -printf '%P\0' | LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum

The maker of a suite is not trusted: paths stay inside, are unlike in every file system, and are bounded in number.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from penstock.contract.load import SUITE_FILE
from penstock.foundation.errors import UsageError
from penstock.foundation.files import file_digests

SUMS: Final = "SHA256SUMS"
"""The list's name, where it lies beside the files."""
MAX_FILES: Final = 200_000
MAX_BYTES: Final = 64 << 30
"""Of all files together."""
MAX_PATH: Final = 500
MAX_SUMS_BYTES: Final = 64 << 20
_LINE: Final = re.compile(r"(?P<digest>[0-9a-f]{64})  (?P<path>[^\n]+)")


def listed(folder: Path) -> dict[str, str]:
    """Path → SHA-256 of every file below a folder, sorted. A list that lies there already does not count.

    Raises:
        UsageError: something there is no regular file, or has a name that a suite may not have.
    """
    found = {path.as_posix(): digest for path, digest in file_digests(folder, aside=(SUMS,)).items()}
    check_paths(found, where=str(folder))
    return _sorted(found)


def as_text(files: Mapping[str, str]) -> str:
    """The list of the files."""
    return "".join(f"{digest}  {path}\n" for path, digest in _sorted(files).items())


def digest_of(files: Mapping[str, str]) -> str:
    """SHA-256 of the list."""
    return hashlib.sha256(as_text(files).encode()).hexdigest()


def parse(content: bytes, *, where: str) -> dict[str, str]:
    """Read a list.

    Raises:
        UsageError: it is none, or names what a suite may not have.
    """
    todo = "Write it with `penstock suite push`, or as `penstock suite digest --help` says."
    try:
        lines = content.decode("utf-8").split("\n")
    except UnicodeDecodeError:
        raise UsageError("the list of files is not UTF-8 text", where=where, todo=todo) from None
    if len(lines) > MAX_FILES + 1:
        raise UsageError(f"the suite has more than {MAX_FILES:,} files", where=where)
    files: dict[str, str] = {}
    for number, line in enumerate(lines[:-1] if lines[-1] == "" else lines, 1):
        found = _LINE.fullmatch(line)
        if found is None or found["path"] in files:
            what = "is not DIGEST, two spaces, PATH" if found is None else "names a file for the second time"
            raise UsageError(f"line {number} of the list of files {what}", where=where, todo=todo)
        files[found["path"]] = found["digest"]
    check_paths(files, where=where)
    return _sorted(files)


def check_paths(paths: Iterable[str], *, where: str) -> None:
    """Refuse paths that leave the folder, that some file system cannot hold, or that are one file in some of them.

    Raises:
        UsageError: which, and why.
    """
    files: dict[str, str] = {}
    folders: dict[str, str] = {}
    for count, path in enumerate(paths, 1):
        if count > MAX_FILES:
            raise UsageError(f"the suite has more than {MAX_FILES:,} files", where=where)
        check_path(path, where=where)
        _unlike(files, path, where)
        parts = path.split("/")
        for length in range(1, len(parts)):
            above = "/".join(parts[:length])
            if folders.setdefault(_folded(above), above) != above:
                raise _alike(folders[_folded(above)], above, where)
    if both := files.keys() & folders.keys():
        name = min(both)
        raise UsageError(f"'{files[name]}' is a file and a folder", where=where, todo="Rename one of them.")
    if SUITE_FILE not in files.values():
        raise UsageError(f"it holds no {SUITE_FILE}", where=where, todo="Name the folder that suite.yaml lies in.")


def check_path(path: str, *, where: str) -> None:
    """Refuse one path for what it is by itself.

    Raises:
        UsageError: it leaves the folder, or cannot be held by some file system.
    """
    if fault := _path_fault(path):
        raise UsageError(f"the path '{path[:200]}' {fault}", where=where, todo="Rename the file.")


def _path_fault(path: str) -> str:
    if len(path) > MAX_PATH or any(len(part.encode("utf-8", "replace")) > 255 for part in path.split("/")):
        return "is too long"
    if not path.isprintable() or "\\" in path:
        return "has a control character or a backslash in it"
    if path.startswith("/") or any(part in ("", ".", "..") for part in path.split("/")):
        return "leaves the suite"
    if any(_folded(part) == ".git" for part in path.split("/")):
        return "lies in '.git'"
    return ""


def _unlike(files: dict[str, str], path: str, where: str) -> None:
    if _folded(path) in files:
        raise _alike(files[_folded(path)], path, where)
    files[_folded(path)] = path


def _alike(one: str, other: str, where: str) -> UsageError:
    what = f"'{one[:200]}' and '{other[:200]}' are one file where capitals or accents do not count"
    return UsageError(what, where=where, todo="Rename one of them.")


def _folded(path: str) -> str:
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", path).casefold())


def _sorted(files: Mapping[str, str]) -> dict[str, str]:
    return dict(sorted(files.items(), key=lambda entry: entry[0].encode()))
