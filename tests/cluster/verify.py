"""Whether the cluster starts over the remains of a killed one, and leaves the machine as it was."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from tests.cluster import before, cgroups, cleanup, node, process, status
from tests.cluster.settings import Settings

from penstock.foundation.errors import UsageError, WorldError

Snapshot = Mapping[str, frozenset[str]]
"""What is being compared, e.g. ``mount`` → its entries."""

PROGRAMS = (
    *("kube", "containerd", "etcd", "coredns", "versitygw", "docker-registry"),
    *("controller", "webhook", "events", "resolvers", "interceptors", "tini"),
)
"""Names that the cluster's programs begin with."""


def verify(settings: Settings) -> None:
    """Up, all processes killed, up again over it, a quick up, down; then compare the machine with what it was.

    Raises:
        WorldError: names what was left behind.
    """
    if cleanup.is_there(settings):
        raise UsageError("there is a cluster", where=str(settings.state), todo="Run cluster-down first.")
    first = snapshot()
    _timed("up", lambda: node.up(settings))
    # Containers outlive what started them.
    _timed("kill -9 of the host's processes", lambda: _kill(settings, cgroups.HOST_PROCESSES))
    _timed("up over that", lambda: node.up(settings))
    _timed("kill -9 of everything", lambda: _kill(settings, ""))
    _timed("up over that", lambda: node.up(settings))
    _timed("up of what is up", lambda: node.up(settings))
    if status.show(settings):
        raise WorldError("the cluster is not well after it was started over a killed one")
    _timed("down", lambda: cleanup.down(settings))
    if left := difference(first, snapshot()):
        raise WorldError("the machine is not as it was:\n" + "\n".join(left), where="cluster-down")
    _say("the machine is as it was")


def snapshot() -> Snapshot:
    """What a cluster could leave on this machine."""
    folders = [path for name in before.FOLDERS for path in (Path(name), *_below(Path(name)))]
    rules = {family: _rules(_output(f"{family}-save")) for family in ("iptables", "ip6tables")}
    return {
        "interface": frozenset(path.name for path in Path("/sys/class/net").iterdir()),
        "address": frozenset(
            line.split(maxsplit=1)[1] for line in _output("ip", "-o", "-f", "inet", "address").splitlines()
        ),
        "route": frozenset(_output("ip", "route", "show", "table", "all").splitlines()),
        "mount": frozenset(line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines()),
        "iptables rule": rules["iptables"],
        "ip6tables rule": rules["ip6tables"],
        "ipset": frozenset(_output("ipset", "list", "-name").splitlines()) if shutil.which("ipset") else frozenset(),
        "kernel setting": frozenset(f"{name} = {before.get_sysctl(name)}" for name in before.CHANGED),
        "file": frozenset(str(path) for path in folders if path.exists()),
        "cgroup": frozenset(str(path) for root in cgroups.hierarchies() for path in root.iterdir() if path.is_dir()),
        "program": _programs(),
    }


def difference(first: Snapshot, then: Snapshot) -> list[str]:
    """One line for each thing that came or went."""
    lines = []
    for kind, entries in first.items():
        lines += [f"left behind: {kind} {entry}" for entry in sorted(then[kind] - entries)]
        lines += [f"gone: {kind} {entry}" for entry in sorted(entries - then[kind])]
    return lines


def _rules(saved: str) -> frozenset[str]:
    """Rules and chains. Chains that every table has count for nothing: an empty table does nothing."""
    built_in = (":PREROUTING", ":INPUT", ":FORWARD", ":OUTPUT", ":POSTROUTING")
    lines = (line.split(" [")[0] for line in saved.splitlines() if line.startswith((":", "-")))
    return frozenset(line for line in lines if not (line.startswith(built_in) and line.endswith(" ACCEPT")))


def _programs() -> frozenset[str]:
    """Executables that run, those of this command's own kind aside: they come and go."""
    found = set()
    for link in Path("/proc").glob("[0-9]*/exe"):
        try:
            name = link.readlink().name
        except OSError:
            continue
        if name.startswith(PROGRAMS):
            found.add(name)
    return frozenset(found)


def _kill(settings: Settings, group: str) -> None:
    """SIGKILL to what runs in our cgroup, or in one below it, without a word to anybody."""
    while pids := cgroups.members(f"{settings.cgroup}/{group}"):
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(process.POLL_S)


def _below(folder: Path) -> list[Path]:
    return list(folder.rglob("*")) if folder.is_dir() else []


def _output(*argv: str) -> str:
    if shutil.which(argv[0]) is None:
        return ""
    return subprocess.run(argv, capture_output=True, text=True, check=False).stdout


def _timed(what: str, action: Callable[[], None]) -> None:
    began = time.monotonic()
    action()
    _say(f"{what}: {time.monotonic() - began:.1f} s")


def _say(line: str) -> None:
    print(f"verify: {line}", flush=True)  # noqa: T201
