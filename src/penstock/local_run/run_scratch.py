"""Where the steps of a run put temporary files: gone when the run ends, also if it was killed and is resumed."""

from __future__ import annotations

import contextlib
import fcntl
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from penstock.foundation.errors import UsageError
from penstock.foundation.files import disk_errors
from penstock.foundation.handles import discard_tree

RECORD = "temporary"
PREFIX = "penstock-run-"


class RunInUseError(UsageError):
    """Another process is running this run: it is neither refused nor broken."""


@contextlib.contextmanager
def scratch(folder: Path) -> Iterator[Path]:
    """A directory for temporary files (a model's, a clone's credentials), which only this user can read.

    It lies in the system's directory for such files, not in the run's: a socket's path has at most 107 bytes. The
    run's file ``temporary`` names it, so that the process that goes on with a killed run removes what that left.

    Args:
        folder: the run's directory.

    Raises:
        RunInUseError: another process is running this run.
        WorldError: the disk is full or not writable.
    """
    record = folder / RECORD
    with contextlib.ExitStack() as stack:
        with disk_errors(record):
            handle = os.open(record, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
            stack.callback(os.close, handle)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise RunInUseError(
                    "this run is going on in another process", where=str(folder), todo="Wait for it, or stop it."
                ) from None
            _remove(os.pread(handle, 4096, 0))
            made = tempfile.mkdtemp(prefix=PREFIX)
            stack.callback(discard_tree, Path(made))
            os.ftruncate(handle, 0)
            os.pwrite(handle, os.fsencode(made), 0)
        yield Path(made)


def _remove(recorded: bytes) -> None:
    """Remove what a killed run left, if it is what such a run makes."""
    path = Path(os.fsdecode(recorded))
    with contextlib.suppress(OSError, ValueError):
        if path.is_absolute() and path.name.startswith(PREFIX) and path.lstat().st_uid == os.getuid():
            discard_tree(path)
