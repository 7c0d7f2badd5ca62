"""The cgroup that holds every process of the cluster: what forked, detached or outlived its parent is found in it."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Sequence
from pathlib import Path

ROOT = Path("/sys/fs/cgroup")
HOST_PROCESSES = "host"
"""Below our cgroup: the host's processes; the kubelet keeps the pods beside it."""
KILL_TIMEOUT_S = 20.0


def hierarchies() -> list[Path]:
    """Each mounted cgroup hierarchy that can hold processes: one on cgroup v2, one for each controller on v1."""
    if (ROOT / "cgroup.controllers").exists():
        return [ROOT]
    return sorted(child for child in ROOT.iterdir() if not child.is_symlink() and (child / "cgroup.procs").exists())


def tracking_hierarchy() -> Path:
    """The one that we put processes into: `pids` on v1 (it limits nothing there), the only one on v2."""
    return ROOT if (ROOT / "cgroup.controllers").exists() else ROOT / "pids"


def create(name: str) -> None:
    """Make our cgroup in every hierarchy; the kubelet wants its root to exist everywhere."""
    for hierarchy in hierarchies():
        (hierarchy / name).mkdir(exist_ok=True)
        if hierarchy.name == "cpuset":
            # A new v1 cpuset is empty, and nothing can enter it until it names cpus and memory nodes.
            for file in ("cpuset.cpus", "cpuset.mems"):
                if not (hierarchy / name / file).read_text().strip():
                    (hierarchy / name / file).write_text((hierarchy / file).read_text())
    if tracking_hierarchy() == ROOT:
        _hand_on_controllers(name)
    (tracking_hierarchy() / name / HOST_PROCESSES).mkdir(exist_ok=True)


def _hand_on_controllers(name: str) -> None:
    """On v2 a cgroup has those controllers that its parent hands on; the kubelet wants all of them for pods."""
    for controller in (ROOT / "cgroup.controllers").read_text().split():
        for folder in (ROOT, ROOT / name):
            with contextlib.suppress(OSError):  # some cannot be handed on; the kubelet names those that it misses
                (folder / "cgroup.subtree_control").write_text(f"+{controller}")


def exists(name: str) -> bool:
    """Whether our cgroup is there."""
    return (tracking_hierarchy() / name).is_dir()


def enter(name: str, argv: Sequence[str]) -> list[str]:
    """A command that enters our cgroup before it becomes ``argv``: no child can escape in between."""
    procs = tracking_hierarchy() / name / HOST_PROCESSES / "cgroup.procs"
    return ["/bin/sh", "-c", f'echo $$ > "{procs}" && exec "$@"', "sh", *argv]


def members(name: str) -> set[int]:
    """Pids of every process in our cgroup and below it."""
    found: set[int] = set()
    for hierarchy in hierarchies():
        for folder, _, files in os.walk(hierarchy / name):
            if "cgroup.procs" in files:
                found.update(_pids(Path(folder) / "cgroup.procs"))
    return found


def kill(name: str) -> set[int]:
    """SIGKILL everything in our cgroup until it is empty; what would not die."""
    deadline = time.monotonic() + KILL_TIMEOUT_S
    while (alive := members(name)) and time.monotonic() < deadline:
        thaw(name)
        for pid in alive:
            _kill_member(name, pid)
        time.sleep(0.05)
    return members(name)


def thaw(name: str) -> None:
    """A frozen process does not die."""
    for folder, _, files in os.walk(ROOT / "freezer" / name):
        if "freezer.state" in files:
            with contextlib.suppress(OSError):  # containerd removes the cgroup of a container that has ended meanwhile
                (Path(folder) / "freezer.state").write_text("THAWED")


def remove(name: str) -> list[Path]:
    """Remove our cgroups, the deepest first; those that are busy."""
    busy = []
    for hierarchy in hierarchies():
        for folder, _, _ in os.walk(hierarchy / name, topdown=False):
            try:
                Path(folder).rmdir()
            except FileNotFoundError:
                continue
            except OSError:
                busy.append(Path(folder))
    return busy


def _kill_member(name: str, pid: int) -> None:
    """Kill through a handle that pins the process, after looking once more that it is one of ours."""
    try:
        handle = os.pidfd_open(pid)
    except OSError:
        return
    try:
        if f"/{name}" in Path(f"/proc/{pid}/cgroup").read_text():
            signal.pidfd_send_signal(handle, signal.SIGKILL)
    except (ProcessLookupError, FileNotFoundError):
        return
    finally:
        os.close(handle)


def _pids(procs: Path) -> list[int]:
    try:
        return [int(line) for line in procs.read_text().split()]
    except OSError:
        return []
