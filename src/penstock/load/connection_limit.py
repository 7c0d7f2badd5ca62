"""How many connections this process may have: each is an open file, of which there is a limit."""

from __future__ import annotations

import resource
from typing import Final

from penstock.foundation.errors import UsageError

MAX_CONNECTIONS: Final = 50_000
DEFAULT_CONNECTIONS: Final = 1000
OTHER_FILES: Final = 64
"""Files that are open beside the connections, at most."""


def default_connections() -> int:
    """A thousand, or as many as this process may have, where that is fewer; at least 1."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard == resource.RLIM_INFINITY:
        return DEFAULT_CONNECTIONS
    return max(1, min(DEFAULT_CONNECTIONS, hard - OTHER_FILES))


def allow_connections(number: int) -> None:
    """Have this process open so many connections.

    Raises:
        UsageError: that is more than this machine lets a process have.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = number + OTHER_FILES
    if soft != resource.RLIM_INFINITY and soft < needed:
        if hard != resource.RLIM_INFINITY and hard < needed:
            raise UsageError(
                f"a process may have {hard} files open here; {number} connections and up to {OTHER_FILES} other files "
                f"are {needed}",
                where="--connections",
                todo=f"Raise the limit (`ulimit -n`), or have at most {max(0, hard - OTHER_FILES)} connections.",
            )
        resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))
