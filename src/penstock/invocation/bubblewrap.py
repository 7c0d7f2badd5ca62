"""Namespaces of its own for a model: mounts, network, processes, IPC, users; made by ``bwrap`` (bubblewrap).

The launcher is started in them and confines the model further, as it does without. What the model finds: the files
that it may read, at their places and read-only, its scratch directory, devices of its own, an empty network with a
loopback, no process but its own. It is the user who runs Penstock (root is *nobody* inside), without capabilities.
"""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

NOBODY = 65534
PROBE_LIMIT_S = 10.0
OWN_DEVICES = ("/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", "/dev/tty", "/dev/shm")  # noqa: S108
"""What bubblewrap makes for each sandbox; the others are the machine's."""
SEPARATE = (
    *("--unshare-user", "--unshare-ipc", "--unshare-pid", "--unshare-uts", "--unshare-cgroup-try"),
    *("--as-pid-1", "--cap-drop", "ALL", "--proc", "/proc", "--dev", "/dev"),
)


@dataclass(frozen=True)
class Bubblewrap:
    """A ``bwrap`` that works for this user on this machine."""

    program: str
    version: str

    def command(
        self,
        inner: list[str],
        *,
        readable: list[str],
        writable: list[str],
        devices: list[str],
        network: bool,
    ) -> list[str]:
        """``inner`` in namespaces of its own.

        Args:
            inner: a command line; what it opens is below ``readable``.
            readable: paths that are there, read-only; those that do not exist are left out.
            writable: directories that are there and can be written to.
            devices: device files of this machine that are there.
            network: the network is this machine's.
        """
        words = [self.program, *SEPARATE, *_mapping(), *([] if network else ["--unshare-net"])]
        mounts = [(path, "--ro-bind-try") for path in readable]
        mounts += [(path, "--bind") for path in writable if path not in OWN_DEVICES]
        mounts += [(path, "--dev-bind-try") for path in devices if path not in OWN_DEVICES]
        there = {path for path, how in mounts if how == "--ro-bind-try"}
        # what lies deeper comes later, so that it is not covered
        for path, how in sorted(dict(mounts).items(), key=lambda mount: mount[0].count("/")):
            below = how == "--ro-bind-try" and any(str(parent) in there for parent in Path(path).parents)
            if below or path in ("/proc", "/dev"):
                continue
            if how == "--ro-bind-try" and path.count("/") == 1 and Path(path).is_symlink():
                words += ["--symlink", str(Path(path).readlink()), path]
            else:
                words += [how, path, path]
        return [*words, "--chdir", "/", "--", *inner]


def _mapping() -> list[str]:
    """Root is nobody inside: many programs behave otherwise for root, and none of what they then do would work."""
    return ["--uid", str(NOBODY), "--gid", str(NOBODY)] if os.geteuid() == 0 else []


@functools.cache
def bubblewrap() -> Bubblewrap | None:
    """The ``bwrap`` of this machine; ``None`` where there is none, or where the kernel or a container forbids it."""
    program = shutil.which("bwrap") if sys.platform.startswith("linux") else None
    if program is None:
        return None
    trial = [program, *SEPARATE, *_mapping(), "--unshare-net", "--ro-bind", "/", "/", "--", "/bin/true"]
    version = _output([program, "--version"])
    if version is None or _output(trial) is None:
        return None
    return Bubblewrap(program, version.strip().removeprefix("bubblewrap "))


def _output(command: list[str]) -> str | None:
    """What a program says; ``None`` if it fails."""
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=PROBE_LIMIT_S, stdin=subprocess.DEVNULL, cwd="/"
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout if done.returncode == 0 else None
