"""``python -m tests.cluster up | down | status | verify``: the throwaway cluster. See docs/cluster.md."""

from __future__ import annotations

import argparse
import fcntl
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from tests.cluster import cleanup, machine, node, status, verify
from tests.cluster.settings import Settings

from penstock.foundation.errors import ExitCode, PenstockError, UsageError


def main(argv: list[str] | None = None) -> int:
    """Run one command and return its exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.cluster", description=__doc__)
    parser.add_argument("command", choices=["up", "down", "status", "verify"])
    arguments = parser.parse_args(argv)
    settings = Settings.from_environment()
    try:
        machine.require_linux_root()
        if arguments.command == "status":
            return status.show(settings)
        with locked(settings):
            if arguments.command == "up":
                node.up(settings)
            elif arguments.command == "verify":
                verify.verify(settings)
            else:
                cleanup.down(settings)
    except PenstockError as error:
        print(f"cluster: {error}", file=sys.stderr)  # noqa: T201
        return int(error.exit_code)
    except KeyboardInterrupt:
        print("cluster: interrupted; cluster-up goes on from here, cluster-down removes it", file=sys.stderr)  # noqa: T201
        return int(ExitCode.INTERRUPTED)
    return int(ExitCode.OK)


@contextmanager
def locked(settings: Settings) -> Iterator[None]:
    """One command at a time: two at once would build and start everything twice."""
    path = settings.cache / "cluster" / "lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UsageError("another cluster-up or cluster-down is running", todo="Wait until it ends.") from None
        yield


if __name__ == "__main__":
    sys.exit(main())
