"""How much a service keeps on disk: logs that are not rotated, and temporary files that nobody removes."""

from __future__ import annotations

import os
from collections.abc import Callable

from penstock.invocation.memory import MIB

MAX_ENTRIES = 10_000
"""Beyond that it is not said how much they are: looking takes time, and the service is under load meanwhile."""
BLOCK_BYTES = 512
"""What ``st_blocks`` counts, whatever the file system's own blocks are (POSIX, sys/stat.h)."""


def kept_files(descriptor: int) -> Callable[[], float | None]:
    """A reader of what the files below a folder take on disk, in MiB.

    A file with several names counts as often; one that has none any more does not count. Nothing is followed that
    could lead out of the folder.

    Args:
        descriptor: of the folder; it stays open as long as the reader is asked.

    Returns:
        ``None`` if there are more than 10,000 files and folders.
    """

    def read() -> float | None:
        held, entries = 0, 0
        for _, folders, files, here in os.fwalk(".", dir_fd=descriptor):
            entries += len(folders) + len(files)
            if entries > MAX_ENTRIES:
                return None
            for name in files:
                try:
                    held += os.stat(name, dir_fd=here, follow_symlinks=False).st_blocks * BLOCK_BYTES
                except OSError:  # removed meanwhile, or in a folder that the service has closed
                    continue
        return held / MIB

    return read
