"""The networks that a family's metrics look through, opened by the role that the contract gives them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from penstock.contract.arithmetic import DEFAULT, Arithmetic, digest_in
from penstock.contract.models import Contract, Weights
from penstock.extractors.shipped import shipped_file
from penstock.families.registry import family
from penstock.foundation.errors import UsageError
from penstock.foundation.files import inside
from penstock.foundation.references import load


class Network(Protocol):
    """A network that is open. What it can do is between it and the family's measurer."""

    @property
    def label(self) -> str:
        """The extractor's label, which goes with every value that was measured through it."""


Networks = Mapping[str, Network]
"""Role → network, of the roles that the contract fills."""


def open_networks(
    contract: Contract, source_dir: Path, *, threads: int | None = None, arithmetic: Arithmetic = DEFAULT
) -> dict[str, Network]:
    """Load the networks that the contract names.

    Raises:
        UsageError: one is missing, is not what the contract's SHA-256 says, or is no network of its kind.
        WorldError: this installation lacks one that comes with Penstock; this machine cannot compute so.
    """
    roles = family(contract.family).roles
    opened: dict[str, Network] = {}
    for role in (role for role in roles if role in contract.extractors):
        named = contract.extractors[role]
        file = _file(source_dir, named, role)
        network: Network = load(roles[role].loader)(file, threads=threads, arithmetic=arithmetic)
        _check_digest(named, network.label, role)
        opened[role] = network
    return opened


def network_labels(networks: Networks) -> dict[str, str]:
    """Role → ``name@sha256:…``."""
    return {role: network.label for role, network in networks.items()}


def _file(source_dir: Path, named: Weights | str, role: str) -> Path:
    """The file in the repository, or of the network that comes with Penstock."""
    if isinstance(named, str):
        return shipped_file(named)
    return inside(source_dir, named.path, where=f"extractors.{role}.path")


def _check_digest(named: Weights | str, label: str, role: str) -> None:
    """What was loaded must be what the contract names; one that comes with Penstock was checked before."""
    if isinstance(named, Weights) and digest_in(label) != named.sha256:
        raise UsageError(
            f"'{named.path}' is not the file that the contract names: it is {label}",
            where=f"extractors.{role}.sha256",
            todo="Fetch the weights again, or correct the SHA-256.",
        )
