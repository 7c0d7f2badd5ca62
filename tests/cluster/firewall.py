"""iptables rules and ipsets of kube-proxy, kube-router, the kubelet and ours: found in the tables' text, removed."""

from __future__ import annotations

import itertools
import shutil
import subprocess
from collections.abc import Iterable

from tests.cluster.network import COMMENT
from tests.cluster.settings import Settings

from penstock.foundation.errors import WorldError

CHAIN_PREFIXES = ("KUBE-",)
SET_PREFIXES = ("KUBE-", "kube-router-", "inet6:KUBE-", "inet6:kube-router-")


def remove(settings: Settings) -> None:
    """Remove the cluster's rules and chains in both families, then its sets."""
    for family in ("iptables", "ip6tables"):
        if shutil.which(family) is None:
            continue
        tables = _run([f"{family}-save"])
        script = removal(tables)
        if script:
            _run([f"{family}-restore", "--wait", "--noflush"], script)
    if shutil.which("ipset"):
        for name in sets(_run(["ipset", "list", "-name"]).splitlines()):
            _run(["ipset", "destroy", name])


def removal(saved: str) -> str:
    """Input for ``iptables-restore --noflush``: removes what is ours of what ``iptables-save`` printed.

    Each table is changed at once: first the rules that lead to our chains go, then the chains.
    """
    script: list[str] = []
    for table, lines in _tables(saved):
        chains = [line[1:].split()[0] for line in lines if line.startswith(":")]
        ours = [chain for chain in chains if chain.startswith(CHAIN_PREFIXES)]
        rules = [line for line in lines if line.startswith("-A ") and _chain(line) not in ours and _is_ours(line)]
        if ours or rules:
            script += [f"*{table}", *(f"-D {line[3:]}" for line in rules), *(f"-F {chain}" for chain in ours)]
            script += [*(f"-X {chain}" for chain in ours), "COMMIT"]
    return "\n".join(script) + "\n" if script else ""


def sets(names: Iterable[str]) -> list[str]:
    """Those ipsets that are the cluster's."""
    return [name for name in names if name.startswith(SET_PREFIXES)]


def _tables(saved: str) -> list[tuple[str, list[str]]]:
    tables: list[tuple[str, list[str]]] = []
    for line in saved.splitlines():
        if line.startswith("*"):
            tables.append((line[1:], []))
        elif tables and line.startswith((":", "-")):
            tables[-1][1].append(line)
    return tables


def _chain(rule: str) -> str:
    return rule.split()[1]


def _is_ours(rule: str) -> bool:
    """A rule in a chain of the machine: ours by its comment, or by the chain that it leads to."""
    words = rule.split()
    if COMMENT in words or f'"{COMMENT}"' in words:
        return True
    targets = [target for option, target in itertools.pairwise(words) if option in ("-j", "-g")]
    return any(target.startswith(CHAIN_PREFIXES) for target in targets)


def _run(argv: list[str], text: str | None = None) -> str:
    done = subprocess.run(argv, input=text, capture_output=True, text=True, check=False)
    if done.returncode:
        raise WorldError(done.stderr.strip() or f"status {done.returncode}", where=" ".join(argv))
    return done.stdout
