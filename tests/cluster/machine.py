"""What the machine must have before anything is started; what Debian packages can mend is installed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.cluster import binaries
from tests.cluster.settings import Settings

from penstock.foundation.errors import UsageError, WorldError

PACKAGES = {
    "containerd": "/usr/bin/containerd",
    "runc": "/usr/sbin/runc",
    "containernetworking-plugins": "/usr/lib/cni/bridge",
    "etcd-server": "/usr/bin/etcd",
    "docker-registry": "/usr/bin/docker-registry",
    "buildah": "/usr/bin/buildah",
    "skopeo": "/usr/bin/skopeo",
    "debootstrap": "/usr/sbin/debootstrap",
    "busybox-static": "/usr/bin/busybox",
    "tini": "/usr/bin/tini-static",
    "git": "/usr/bin/git",
    "git-lfs": "/usr/bin/git-lfs",
    "gcc": "/usr/bin/gcc",
    "libc6-dev": "/usr/include/stdio.h",
    "iptables": "/usr/sbin/iptables",
    "ipset": "/usr/sbin/ipset",
    "iproute2": "/usr/sbin/ip",
    "conntrack": "/usr/sbin/conntrack",
    "socat": "/usr/bin/socat",
    "openssl": "/usr/bin/openssl",
    "ca-certificates": "/etc/ssl/certs/ca-certificates.crt",
}
"""Debian package → a file of it that we need."""
MEMORY_BYTES = 6 << 30
PROGRAMS_BYTES = 13 << 30
"""Of disk, to build the programs in the cache."""
CLUSTER_BYTES = 12 << 30
"""Of disk, for the cluster itself: images, volumes, objects. Eight once it is up, the rest with the runs of tests."""
MARK = ".penstock-cluster"
"""Lies in a state directory: what `cluster-down` removes must be a directory that `cluster-up` made."""
POLICY = Path("/usr/sbin/policy-rc.d")


def require(settings: Settings) -> None:
    """Refuse what cannot be done on this machine, before anything is changed."""
    require_linux_root()
    require_own(settings.state)
    if settings.state in (settings.cache, *settings.cache.parents):
        raise UsageError(
            "the cache lies in the state directory, which cluster-down removes",
            where=str(settings.cache),
            todo="Set PENSTOCK_CACHE.",
        )
    require_room(settings)
    if binaries.missing(settings.cache):
        binaries.require_go()


def require_linux_root() -> None:
    """The cluster needs root: it makes interfaces, mounts and namespaces."""
    if not sys.platform.startswith("linux"):
        raise UsageError(
            f"the cluster runs on Linux only, and this is {sys.platform}", todo="Use kind there: see docs/cluster.md."
        )
    if os.uname().machine != "x86_64":
        raise UsageError(f"the cluster runs on x86_64 only, and this is {os.uname().machine}")
    if os.geteuid() != 0:
        raise UsageError(
            "the cluster needs root: it makes network interfaces, mounts and namespaces", todo="Run it with sudo."
        )


def require_own(state: Path) -> None:
    """The state directory is ours, empty, or not there: anybody else's would be removed with the cluster."""
    if state.exists() and any(state.iterdir()) and not (state / MARK).exists():
        raise UsageError(
            "is not empty and no cluster of ours", where=str(state), todo="Set PENSTOCK_CLUSTER_DIR to a new directory."
        )


def create_state(state: Path) -> None:
    """Make the state directory, marked as ours before anything else is in it."""
    state.mkdir(parents=True, exist_ok=True, mode=0o755)
    (state / MARK).touch()


def require_room(settings: Settings) -> None:
    """Memory and disk, unless the cluster is there and has them already.

    Raises:
        WorldError: there is too little of one.
    """
    if settings.facts.exists():
        return
    uses = [("the cluster itself", settings.state, CLUSTER_BYTES, "PENSTOCK_CLUSTER_DIR")]
    if binaries.missing(settings.cache):
        uses.append(("its programs, which are built first", settings.cache, PROGRAMS_BYTES, "PENSTOCK_CACHE"))
    there = [next(parent for parent in (use[1], *use[1].parents) if parent.exists()) for use in uses]
    for disk in {place.stat().st_dev for place in there}:
        mine = [(use, place) for use, place in zip(uses, there, strict=True) if place.stat().st_dev == disk]
        free, need = shutil.disk_usage(mine[0][1]).free, sum(use[2] for use, _ in mine)
        if free < need:
            parts = " and ".join(f"{_gib(size)} for {what} ({folder})" for (what, folder, size, _), _ in mine)
            raise WorldError(
                f"{_gib(free)} free on this disk, and the cluster needs {parts}",
                where=str(mine[0][1]),
                todo=f"Free some, or set {' or '.join(use[3] for use, _ in mine)} to a directory on another disk.",
            )
    free = memory_available(Path("/proc/meminfo").read_text())
    if free < MEMORY_BYTES:
        raise WorldError(
            f"{_gib(free)} of memory available, and the cluster needs {_gib(MEMORY_BYTES)}", todo="End what uses it."
        )


def memory_available(meminfo: str) -> int:
    """``MemAvailable`` in bytes."""
    return next(int(line.split()[1]) * 1024 for line in meminfo.splitlines() if line.startswith("MemAvailable:"))


def missing_packages() -> list[str]:
    """Debian packages that the cluster needs and the machine lacks."""
    return [package for package, file in PACKAGES.items() if not Path(file).exists()]


def install_packages() -> None:
    """Install what is missing with apt-get, and start none of the services that come with it."""
    names = missing_packages()
    if not names:
        return
    if shutil.which("apt-get") is None:
        raise UsageError(
            f"missing, and there is no apt-get: {', '.join(names)}", todo="The cluster is made for Debian 12."
        )
    print(f"cluster: installing Debian packages: {', '.join(names)}", flush=True)  # noqa: T201
    ours = not POLICY.exists()
    if ours:
        # Debian starts a service as it installs it; an etcd and a registry of the system would take our ports.
        POLICY.write_text("#!/bin/sh\nexit 101\n")
        POLICY.chmod(0o755)
    try:
        if _apt("install", *names).returncode:
            _apt("update")
            done = _apt("install", *names)
            if done.returncode:
                raise WorldError(f"apt-get install failed:\n{done.stderr.strip()}", where=", ".join(names))
    finally:
        if ours:
            POLICY.unlink()
    if still := missing_packages():
        raise WorldError(f"installed, but their files are missing: {', '.join(PACKAGES[name] for name in still)}")


def _apt(command: str, *names: str) -> subprocess.CompletedProcess[str]:
    options = (
        ["--yes", "--no-install-recommends", "-o", "DPkg::Lock::Timeout=300", "-o", "Acquire::Retries=3"]
        if names
        else []
    )
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    return subprocess.run(
        ["apt-get", command, *options, *names], env=environment, capture_output=True, text=True, check=False
    )


def _gib(size: int) -> str:
    return f"{size / (1 << 30):.1f} GiB"
