"""What a helper process gives up before it opens what strangers made.

The process is started by :func:`penstock.invocation.helper_process.run_helper`. It keeps the files that it is told of,
a folder of its own and, if need be, a port; it has no other network, no capabilities, and a bound on its memory.
"""

from __future__ import annotations

import os
import resource
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from penstock.invocation.landlock import restrict
from penstock.invocation.privileges import PR_SET_NO_NEW_PRIVS, drop_capabilities, prctl
from penstock.invocation.sandbox import DEVICES

CGROUPS: Final = Path("/sys/fs/cgroup")
_LIMITS: Final = ("memory.max", "memory/memory.limit_in_bytes")
"""Of a container, in versions 2 and 1 of cgroups."""


def keep_only(
    *,
    readable: Iterable[str | Path],
    folder: Path,
    also_writable: Iterable[str] = (),
    ports: Iterable[int] = (),
    max_memory: int | None = None,
) -> None:
    """Give up, for this process and all its children, everything that is not named; go into the folder.

    Args:
        readable: files and directories.
        folder: may be written to.
        also_writable: directories beside it.
        ports: TCP ports of any host that may be connected to.
        max_memory: bytes of address space, and see :func:`max_data`; ``None``: no bound.

    Raises:
        OSError: the kernel refused: nothing may be opened then.
    """
    if max_memory is not None:
        resource.setrlimit(resource.RLIMIT_AS, (max_memory, max_memory))
        resource.setrlimit(resource.RLIMIT_DATA, (most := max_data(max_memory), most))
    prctl(PR_SET_NO_NEW_PRIVS, 1)
    drop_capabilities()
    restrict(
        {
            "readable": [str(path) for path in readable],
            "listable": [],
            "writable": [str(folder), *also_writable],
            "devices": [*DEVICES],
            "thread_names": [],
            "bind": [],
            "connect": [*ports],
        }
    )
    os.chdir(folder)


def max_data(most: int, cgroups: Path = CGROUPS) -> int:
    """How many bytes may be written to: half of what the container has, at most ``most``.

    So this process runs out of memory before the container does, which would be killed as a whole. What is only mapped,
    as libraries are, does not count.
    """
    for name in _LIMITS:
        try:
            return min(most, int((cgroups / name).read_text(encoding="ascii")) // 2)
        except (OSError, ValueError):  # it is not there, or says "max"
            continue
    return most
