"""What a model was trained on, as far as a suite has to know it: folders of files, or lists of their SHA-256."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from penstock.foundation.errors import UsageError
from penstock.foundation.files import read_regular, regular_files
from penstock.suites.fingerprints import Fingerprint, Progress, fingerprints

MAX_LIST_BYTES = 256 << 20
_LINE = re.compile(r"\\?(?P<digest>[0-9a-fA-F]{64})(?:[ \t]+\*?(?P<name>.*))?\Z")


def training_files(paths: Iterable[Path], progress: Progress = lambda _done, _all: None) -> dict[str, Fingerprint]:
    """Name → fingerprint.

    Args:
        paths: a folder, all files below which are looked at; or a list as ``sha256sum`` prints it, whose files are
            known by their SHA-256 alone. Lines that are empty or begin with ``#`` say nothing. A name that is there
            twice, as in lists of two folders, has its list and line beside it.
        progress: hears how many files of a folder are done.

    Raises:
        UsageError: a path is missing, there is no file below a folder, or a line of a list is none.
    """
    found: dict[str, Fingerprint] = {}
    for path in paths:
        if path.is_dir():
            files = fingerprints((path / file for file in regular_files(path)), progress)
            if not files:
                raise UsageError("there is no file in this folder", where=str(path), todo="Correct the path.")
            found |= {str(file): fingerprint for file, fingerprint in files.items()}
        else:
            _add_listed(path, found)
    return found


def _add_listed(path: Path, found: dict[str, Fingerprint]) -> None:
    # names are shown and no more: they may be in any encoding, and have anything in them but a line feed
    text = read_regular(path, max_bytes=MAX_LIST_BYTES, where=str(path)).decode("utf-8-sig", "replace")
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip() or line.startswith("#"):
            continue
        match = _LINE.match(line.strip())
        if match is None:
            what, todo = "no SHA-256 and name of a file", "Write the list with sha256sum."
            raise UsageError(what, where=f"{path}:{number}", todo=todo)
        name = match["name"] or f"line {number} of {path.name}"
        found[f"{name} ({path}:{number})" if name in found else name] = Fingerprint(match["digest"].lower())
