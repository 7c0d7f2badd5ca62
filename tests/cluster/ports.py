"""Ports that the cluster listens on, and who has them if it is not us."""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.cluster import process
from tests.cluster.settings import Settings

from penstock.foundation.errors import UsageError

LISTEN = "0A"
LOOPBACK = "127.0.0.1"


@dataclass(frozen=True)
class Listener:
    """A socket that listens: address, port, and the inode by which its process is found."""

    address: str
    port: int
    inode: str


def needed(settings: Settings) -> list[tuple[str, str, int]]:
    """(part, address, port) of everything that listens."""
    here = settings.address
    return [
        ("registry", here, settings.registry_port),
        ("git", here, settings.git_port),
        ("gitea", here, settings.gitea_port),
        ("objects", here, settings.s3_port),
        ("etcd", LOOPBACK, settings.etcd_port),
        ("etcd", LOOPBACK, settings.etcd_peer_port),
        ("kube-apiserver", here, settings.api_port),
        ("kube-controller-manager", LOOPBACK, settings.controller_manager_port),
        ("kube-scheduler", LOOPBACK, settings.scheduler_port),
        ("kubelet", here, settings.kubelet_port),
        ("kubelet", LOOPBACK, settings.kubelet_health_port),
        ("kube-proxy", LOOPBACK, settings.proxy_health_port),
        ("kube-proxy", LOOPBACK, settings.proxy_metrics_port),
        ("kube-router", "0.0.0.0", settings.router_health_port),
    ]


def require_free(settings: Settings) -> None:
    """Refuse if a part that does not run yet would find its port taken; says by whom."""
    listening = list(listeners())
    taken = []
    for part, address, port in needed(settings):
        if not process.is_running(settings, part):
            taken += [f"{port} ({part}) by {holder(one)}" for one in listening if conflicts(one, address, port)]
    if taken:
        raise UsageError(f"ports are taken: {'; '.join(taken)}", where="cluster-up", todo="End what listens there.")


def conflicts(one: Listener, address: str, port: int) -> bool:
    """Whether that listener keeps us from ``address``: the same one, or either is every address."""
    everything = ("0.0.0.0", "::")
    return one.port == port and (one.address in (address, *everything) or address in everything)


def listeners() -> Iterator[Listener]:
    """Every TCP socket of this network namespace that listens."""
    for table in ("tcp", "tcp6"):
        try:
            text = Path(f"/proc/net/{table}").read_text()
        except FileNotFoundError:
            continue
        yield from parse(text)


def parse(table: str) -> Iterator[Listener]:
    """Listeners in the text of /proc/net/tcp or tcp6."""
    for line in table.splitlines()[1:]:
        fields = line.split()
        if fields[3] == LISTEN:
            address, _, port = fields[1].partition(":")
            yield Listener(_address(address), int(port, 16), fields[9])


def holder(listener: Listener) -> str:
    """Who has the socket: ``NAME (pid N)``."""
    wanted = f"socket:[{listener.inode}]"
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            if any(str(link.readlink()) == wanted for link in (entry / "fd").iterdir()):
                return f"{(entry / 'comm').read_text().strip()} (pid {entry.name})"
        except OSError:  # it ended meanwhile
            continue
    return "a process that cannot be seen from here"


def _address(text: str) -> str:
    """Words of four bytes, each in the machine's order; IPv4 in IPv6 is told as IPv4."""
    packed = b"".join(struct.pack("=I", int(text[at : at + 8], 16)) for at in range(0, len(text), 8))
    if len(packed) == 4:
        return socket.inet_ntop(socket.AF_INET, packed)
    if packed.startswith(b"\0" * 10 + b"\xff\xff"):
        return socket.inet_ntop(socket.AF_INET, packed[12:])
    return socket.inet_ntop(socket.AF_INET6, packed)
