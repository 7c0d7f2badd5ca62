"""What the check of a repository finds, as it is printed."""

from __future__ import annotations

from pathlib import Path

from penstock.contract.check import check_repository
from penstock.families.registry import directions

DIRECTIONS = directions()


def faults(root: Path) -> list[str]:
    return [str(fault) for fault in check_repository(root, metrics=DIRECTIONS).faults]


def only(root: Path) -> str:
    found = faults(root)
    assert len(found) == 1, found
    return found[0]
