"""What the machine had before the cluster: kernel settings and folders, remembered once, put back at the end."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path

from tests.cluster import process
from tests.cluster.settings import Settings

from penstock.foundation.errors import WorldError

SYSCTLS = Path("/proc/sys")
CHANGED = (
    # Ours (network.py).
    "net/ipv4/ip_forward",
    "net/bridge/bridge-nf-call-iptables",
    # The kubelet wants these.
    "vm/overcommit_memory",
    "vm/panic_on_oom",
    "kernel/panic",
    "kernel/panic_on_oops",
    "kernel/keys/root_maxkeys",
    "kernel/keys/root_maxbytes",
    # kube-proxy, kube-router and the CNI plugins may set these.
    "net/ipv4/conf/all/route_localnet",
    "net/ipv4/conf/all/forwarding",
    "net/ipv4/conf/default/forwarding",
    "net/ipv4/vs/conntrack",
    "net/netfilter/nf_conntrack_max",
    "net/netfilter/nf_conntrack_tcp_be_liberal",
    "net/netfilter/nf_conntrack_tcp_timeout_established",
    "net/netfilter/nf_conntrack_tcp_timeout_close_wait",
    "net/bridge/bridge-nf-call-ip6tables",
    "net/ipv6/conf/all/forwarding",
)
FOLDERS = (
    # Made outside the state directory by the kubelet, containerd and CNI, which know no other place; inner first.
    "/run/containerd/s",
    "/run/containerd",
    "/var/lib/cni/results",
    "/var/lib/cni/cache",
    "/var/lib/cni",
    "/var/log/containers",
    "/var/log/pods",
    "/var/lib/kubelet/device-plugins",
    "/var/lib/kubelet/plugins_registry",
    "/var/lib/kubelet",
    "/usr/libexec/kubernetes/kubelet-plugins/volume/exec",
    "/usr/libexec/kubernetes/kubelet-plugins/volume",
    "/usr/libexec/kubernetes/kubelet-plugins",
    "/usr/libexec/kubernetes",
    "/run/netns",
)


def remember(settings: Settings) -> None:
    """Write down what there is, unless this boot's is written down already."""
    if _kept(settings) is not None:
        return
    content = {
        "boot": process.boot_id(),
        "sysctls": {name: value for name in CHANGED if (value := get_sysctl(name)) is not None},
        "folders": [folder for folder in FOLDERS if Path(folder).exists()],
    }
    temporary = _path(settings).with_suffix(".tmp")
    temporary.write_text(json.dumps(content, indent=1))
    temporary.replace(_path(settings))


def restore(settings: Settings) -> None:
    """Put kernel settings back, and remove the folders that were not there and are empty now."""
    kept = _kept(settings)
    if kept is None:
        return
    for name, value in kept["sysctls"].items():
        if get_sysctl(name) != value:
            set_sysctl(name, value)
    for folder in FOLDERS:
        if folder not in kept["folders"]:
            with contextlib.suppress(OSError):  # not there, or somebody else's things are in it
                Path(folder).rmdir()


def get_sysctl(name: str) -> str | None:
    """A kernel setting by its path below /proc/sys; None if this kernel has none of that name."""
    try:
        return (SYSCTLS / name).read_text().strip()
    except OSError:
        return None


def set_sysctl(name: str, value: str) -> None:
    """Change a kernel setting."""
    try:
        (SYSCTLS / name).write_text(value)
    except OSError as error:
        raise WorldError(f"cannot be set to {value}: {error.strerror}", where=f"/proc/sys/{name}") from None


def _path(settings: Settings) -> Path:
    return settings.state / "before.json"


def _kept(settings: Settings) -> dict | None:  # type: ignore[type-arg]
    """What was remembered in this boot; an earlier one's settings are gone with it."""
    try:
        content = json.loads(_path(settings).read_text())
    except (FileNotFoundError, ValueError):
        return None
    return content if content["boot"] == process.boot_id() else None
