"""Taking the cluster away: every process, mount, interface, namespace, set and rule of it, also after a sudden end."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from pathlib import Path

from tests.cluster import before, cgroups, firewall, machine, process
from tests.cluster.settings import Settings

from penstock.foundation.errors import WorldError

STOPPED_FIRST = ("kubelet", "kube-router", "kube-proxy", "registry")
"""The first three put back what cleanup removes; the last writes into the cache, which stays. The others are killed."""
KUBELET_SOCKET = Path("/var/lib/kubelet/device-plugins/kubelet.sock")
SHIM_SOCKETS = Path("/run/containerd/s")
"""containerd's shims listen here, wherever containerd's own state lies."""
CNI_RESULTS = Path("/var/lib/cni/results")


def down(settings: Settings) -> None:
    """Remove the cluster; the cache stays. Nothing to do where there is none."""
    began = time.monotonic()
    if not is_there(settings):
        print("cluster: there is none", flush=True)  # noqa: T201
        return
    remove(settings)
    print(f"cluster: removed in {time.monotonic() - began:.0f} s; the cache {settings.cache}/cluster stays", flush=True)  # noqa: T201


def is_there(settings: Settings) -> bool:
    """Whether there is anything of a cluster, whole or not."""
    interfaces = (Path("/sys/class/net") / name for name in (settings.bridge, settings.host_interface))
    return settings.state.exists() or cgroups.exists(settings.cgroup) or any(path.exists() for path in interfaces)


def is_remains(settings: Settings) -> bool:
    """Whether what is there was ended from outside: parts are recorded and not one of them lives."""
    records = list(settings.pids.glob("*.json")) if settings.pids.is_dir() else []
    outlived = bool(cgroups.members(settings.cgroup))
    return (bool(records) or outlived) and not any(process.is_running(settings, path.stem) for path in records)


def remove(settings: Settings) -> None:
    """Remove everything of the cluster from the machine, and its state.

    Raises:
        WorldError: names what could not be removed.
    """
    machine.require_own(settings.state)
    for name in STOPPED_FIRST:
        process.stop(settings, name)
    stubborn = cgroups.kill(settings.cgroup)
    if stubborn:
        raise WorldError(
            f"processes that do not end: {sorted(stubborn)}",
            where="cluster-down",
            todo="See what they wait for in /proc/PID/stack.",
        )
    _remove_shim_sockets()
    unmount_below(settings.state)
    _remove_interfaces(settings)
    firewall.remove(settings)
    _remove_cni_results()
    _remove_log_links(settings)
    KUBELET_SOCKET.unlink(missing_ok=True)
    before.restore(settings)
    if settings.state.exists():
        shutil.rmtree(settings.state)
    busy = cgroups.remove(settings.cgroup)
    if busy:
        raise WorldError(
            f"cgroups that cannot be removed: {', '.join(map(str, busy))}", where="cluster-down", todo="Run it again."
        )


def mounts_below(mountinfo: str, folder: Path) -> list[Path]:
    """Mount points at and below ``folder``, the last mounted first; from the text of /proc/self/mountinfo."""
    found = []
    for line in mountinfo.splitlines():
        point = Path(_unescape(line.split()[4]))
        if point == folder or folder in point.parents:
            found.append(point)
    return found[::-1]


def unmount_below(folder: Path) -> None:
    """Unmount all below ``folder``: what pods, containers and namespaces had mounted."""
    for point in mounts_below(Path("/proc/self/mountinfo").read_text(), folder):
        if subprocess.run(["umount", str(point)], capture_output=True, check=False).returncode:
            # Busy for a moment more: nothing of ours runs any longer, so it goes when the kernel lets go of it.
            subprocess.run(["umount", "--lazy", str(point)], capture_output=True, check=False)
    if left := mounts_below(Path("/proc/self/mountinfo").read_text(), folder):
        raise WorldError(
            f"still mounted: {', '.join(map(str, left))}", where="cluster-down", todo="Unmount them, then run it again."
        )


def _unescape(field: str) -> str:
    r"""Space, tab, newline and backslash are written as \\040 and so on in mount tables."""
    for code, character in (("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")):
        field = field.replace(code, character)
    return field


def _remove_shim_sockets() -> None:
    """Sockets of shims that are gone, whoever's they were: nobody listens, and no name says where they belong."""
    for path in SHIM_SOCKETS.iterdir() if SHIM_SOCKETS.is_dir() else ():
        if path.is_socket() and not _listens(path):
            path.unlink(missing_ok=True)


def _listens(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as client:
        try:
            client.connect(str(path))
        except (ConnectionRefusedError, FileNotFoundError):
            return False
    return True


def _remove_interfaces(settings: Settings) -> None:
    """The bridge's ports are ends of pods' cables: they go with the pods' namespaces, but in the kernel's own time."""
    ports = Path(f"/sys/class/net/{settings.bridge}/brif")
    names = [*(sorted(port.name for port in ports.iterdir()) if ports.is_dir() else []), settings.bridge]
    names.append(settings.host_interface)
    for name in names:
        if Path(f"/sys/class/net/{name}").exists():
            subprocess.run(["ip", "link", "delete", name], capture_output=True, check=False)
    left = [name for name in names if Path(f"/sys/class/net/{name}").exists()]
    if left:
        raise WorldError(f"interfaces that cannot be removed: {', '.join(left)}", where="cluster-down")


def _remove_cni_results() -> None:
    for path in CNI_RESULTS.glob("penstock-*"):
        path.unlink(missing_ok=True)
    for path in CNI_RESULTS.glob("cni-loopback-*"):
        path.unlink(missing_ok=True)


def _remove_log_links(settings: Settings) -> None:
    """The kubelet's links to our pods' logs."""
    for link in Path("/var/log/containers").glob("*.log"):
        if link.is_symlink() and settings.state in link.readlink().parents:
            link.unlink()
