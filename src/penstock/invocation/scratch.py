"""The one directory in which a model may write, held by a handle that was opened before the model was started.

A model may do there what it likes: take its folders away, put links in their place, close them to everybody. What
counts as its output is what lies in the very folder that was made for the call, wherever that is by then.
"""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from penstock.foundation.errors import WorldError
from penstock.foundation.files import disk_errors, replacing
from penstock.foundation.handles import Folder, remove_tree

MAX_OUTPUT_BYTES = 1 << 30
FOLDERS = ("home", "tmp")
CALL = "call"
COPY_BYTES = 1 << 20


class Scratch:
    """A model's scratch directory. What was there before is removed first, and all of it in the end.

    Raises:
        WorldError: it cannot be made; the disk is full.
    """

    def __init__(self, path: Path) -> None:
        self.path = path.resolve()
        with disk_errors(self.path):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with Folder.at(self.path.parent) as parent:
                parent.remove(self.path.name)
                self._folder = parent.make(self.path.name)

    @property
    def descriptor(self) -> int:
        """Of the directory, as long as this is open."""
        return self._folder.descriptor

    def tidy(self) -> None:
        """Have the folders that a model's process starts with, whatever an earlier one has put in their place."""
        with disk_errors(self.path):
            os.fchmod(self._folder.descriptor, 0o700)
            for name in FOLDERS:
                with contextlib.suppress(FileNotFoundError):
                    if not stat.S_ISDIR(self._folder.stat(name).st_mode):
                        self._remove(name)
                with contextlib.suppress(FileExistsError):
                    self._folder.make(name).close()
                self._folder.opened_up(name).close()  # a model may have closed it

    @contextlib.contextmanager
    def call(self) -> Iterator[Folder]:
        """A new, empty folder ``call`` for one call, removed after it.

        Raises:
            WorldError: what an earlier call has left cannot be removed; the disk is full.
        """
        self.tidy()
        with disk_errors(self.path / CALL):
            self._remove(CALL)
            folder = self._folder.make(CALL)
        try:
            with folder:
                yield folder
        finally:
            with contextlib.suppress(OSError):
                os.fchmod(self._folder.descriptor, 0o700)
                self._folder.remove(CALL)

    def _remove(self, name: str) -> None:
        try:
            self._folder.remove(name)
        except OSError as error:
            raise WorldError(
                f"what the model left cannot be removed: {(error.strerror or '').lower()}",
                where=str(self.path / name),
                todo="Remove it by hand.",
            ) from error

    def close(self) -> None:
        """Give the handle back and remove the directory; what cannot be removed stays."""
        self._folder.close()
        with contextlib.suppress(OSError):
            remove_tree(self.path)


def collect(folder: Folder, name: str, output: Path) -> str | None:
    """Copy the file ``name`` that a model left in ``folder`` to ``output``; return what is wrong with it, or ``None``.

    Nothing that could lead elsewhere is followed: it must be a regular file, with this one name, and hold still.
    """
    try:
        os.fchmod(folder.descriptor, 0o700)  # a model may have closed it
        source = folder.open(name)
    except FileNotFoundError:
        return "the model wrote no output"
    except PermissionError:
        return "the model's output cannot be read: permission denied"
    except OSError:
        return "the model's output is not a regular file"
    with source:
        try:
            return _copy(source.fileno(), output)
        except _ChangedError:
            return "the model's output changed while it was copied"


class _ChangedError(Exception):
    """Leaves a ``replacing`` block without keeping the file."""


def _copy(source: int, output: Path) -> str | None:
    facts = os.fstat(source)
    # A hard link could be a name for a file that is not the model's own.
    if facts.st_nlink != 1:
        return "the model's output is not a regular file of its own: it has another name"
    if facts.st_size == 0:
        return "the model's output is empty"
    if facts.st_size > MAX_OUTPUT_BYTES:
        return f"the model's output is larger than {MAX_OUTPUT_BYTES >> 20} MiB"
    with replacing(output) as temporary, temporary.open("wb") as target:
        copied = 0
        while copied <= facts.st_size and (chunk := os.read(source, COPY_BYTES)):
            copied += target.write(chunk)
        if copied != facts.st_size:
            raise _ChangedError
    return None
