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
            known by their SHA-256 alone. Lines that are empty or begin with ``#`` say nothing.
        progress: hears how many files of a folder are done.

    Raises:
        UsageError: a path is missing, or a line of a list is none.
    """
    found: dict[str, Fingerprint] = {}
    for path in paths:
        if path.is_dir():
            files = fingerprints((path / file for file in regular_files(path)), progress)
            found |= {str(file): fingerprint for file, fingerprint in files.items()}
        else:
            found |= _listed(path)
    return found


def _listed(path: Path) -> dict[str, Fingerprint]:
    try:
        lines = read_regular(path, max_bytes=MAX_LIST_BYTES, where=str(path)).decode("utf-8").splitlines()
    except UnicodeDecodeError:
        raise UsageError("the list is no text in UTF-8", where=str(path), todo="Write it with sha256sum.") from None
    found = {}
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.startswith("#"):
            continue
        match = _LINE.match(line.strip())
        if match is None:
            what, todo = "no SHA-256 and name of a file", "Write the list with sha256sum."
            raise UsageError(what, where=f"{path}:{number}", todo=todo)
        found[match["name"] or f"line {number} of {path.name}"] = Fingerprint(match["digest"].lower())
    return found
