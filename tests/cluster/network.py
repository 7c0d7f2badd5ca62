"""The host's side of the network: an interface for the node's address, forwarding, and the way out for pods."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from tests.cluster import before
from tests.cluster.settings import Settings

from penstock.foundation.errors import WorldError

COMMENT = "penstock-cluster"
"""On each iptables rule of ours; cleanup knows them by it."""
WANTED = {"net/ipv4/ip_forward": "1", "net/bridge/bridge-nf-call-iptables": "1"}


def prepare(settings: Settings) -> None:
    """Make the node's interface, switch forwarding on, and let pods out; nothing is done twice."""
    if before.get_sysctl("net/bridge/bridge-nf-call-iptables") is None and shutil.which("modprobe"):
        subprocess.run(["modprobe", "br_netfilter"], capture_output=True, check=False)
    before.remember(settings)
    for name, value in WANTED.items():
        before.set_sysctl(name, value)
    _make_interface(settings)
    for rule in rules(settings):
        _ensure_rule(rule)


def rules(settings: Settings) -> list[list[str]]:
    """Our own iptables rules: table, chain, and the rest."""
    # 10.244.0.0/15 is the pods and the node's address: neither is masqueraded, so policies see who speaks.
    inside = settings.pod_cidr.replace("/16", "/15")
    comment = ["-m", "comment", "--comment", COMMENT]
    return [
        ["nat", "POSTROUTING", "-s", settings.pod_cidr, "!", "-d", inside, *comment, "-j", "MASQUERADE"],
        # Where the machine's own policy is to drop what it forwards.
        ["filter", "FORWARD", "-s", settings.pod_cidr, *comment, "-j", "ACCEPT"],
        ["filter", "FORWARD", "-d", settings.pod_cidr, *comment, "-j", "ACCEPT"],
    ]


def _make_interface(settings: Settings) -> None:
    # A bridge without ports: unlike a dummy interface every kernel that can run pods has it.
    name = settings.host_interface
    if not Path(f"/sys/class/net/{name}").exists():
        _run("ip", "link", "add", name, "type", "bridge")
    _run("ip", "address", "replace", f"{settings.address}/32", "dev", name)
    _run("ip", "link", "set", name, "up")
    # A machine without a default route could not even begin to speak to a service's address.
    _run("ip", "route", "replace", settings.service_cidr, "dev", name)


def _ensure_rule(rule: list[str]) -> None:
    table, chain, *rest = rule
    check = ["iptables", "--wait", "-t", table, "-C", chain, *rest]
    if subprocess.run(check, capture_output=True, check=False).returncode:
        _run("iptables", "--wait", "-t", table, "-A", chain, *rest)


def _run(*argv: str) -> None:
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    if done.returncode:
        raise WorldError(done.stderr.strip() or f"status {done.returncode}", where=" ".join(argv))
