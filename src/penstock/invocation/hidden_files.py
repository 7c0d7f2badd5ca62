"""What a model may read where some files are not for it: all the rest, named piece by piece.

Landlock allows what lies below a path, and has no word for an exception. So a folder that holds a hidden file is not
named itself but by its entries; it can be listed all the same, as programs expect of the folder that they start in.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Pieces:
    """What may be read."""

    readable: list[str]
    """Files, and folders with all that is in them."""
    listable: list[str]
    """Folders of which only the names may be read."""


def all_but(paths: Iterable[str], hidden: Collection[Path]) -> Pieces:
    """These paths without the hidden files.

    Symbolic links on the way are left out: what they lead to is named where it lies, or is not the model's to read.

    Args:
        paths: files and folders.
        hidden: files, resolved.
    """
    secret = set(hidden)
    above = {parent for file in secret for parent in file.parents}
    pieces = Pieces([], [])
    for path in paths:
        real = Path(path).resolve()
        if real not in above:
            if real not in secret:
                pieces.readable.append(path)
            continue
        folders = [real]
        while folders:
            folder = folders.pop()
            pieces.listable.append(str(folder))
            for entry in sorted(folder.iterdir()):
                if entry.is_symlink() or entry in secret:
                    continue
                if entry in above:
                    folders.append(entry)
                else:
                    pieces.readable.append(str(entry))
    return pieces
