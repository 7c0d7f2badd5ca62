"""A contract's ``target`` looked up in the platform's ``targets.yaml``, before anything runs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from penstock.contract.faults import Fault, fault_at
from penstock.contract.models import Contract
from penstock.foundation.errors import UsageError
from penstock.foundation.yaml_text import Document
from penstock.targets.targets_file import load_targets, settings_of


def target_faults(contract: Contract, document: Document, targets: Path) -> Iterator[Fault]:
    """What a promotion would refuse of the contract's target: nothing of its name, or not open to this model.

    Only ``targets.yaml`` itself is read: no key beside it, no secret, and nothing is connected to.

    Args:
        contract: the model's.
        document: what it was read from.
        targets: the platform's ``targets.yaml``.

    Raises:
        UsageError: the file cannot be read, or is no ``targets.yaml``; also where the contract names no target.
    """
    known = load_targets(targets)
    if contract.target is None:
        return
    try:
        settings_of(known, contract.target, contract.name, where=str(targets))
    except UsageError as error:
        yield fault_at(document, ("target",), f"{error.what} ({targets.name})", todo=error.todo)
