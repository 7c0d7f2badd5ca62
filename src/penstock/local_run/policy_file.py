"""Reading a policy that a command was given: what is likely wrong in it is said on standard error."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from penstock.contract.policy import Policy


def policy_at(path: Path) -> Policy:
    """The policy in a file, or in the contract of a directory.

    Raises:
        UsageError: ``where`` is ``FILE:LINE: field.path``.
    """
    from penstock.contract.load import read_policy
    from penstock.families.registry import directions

    policy, warnings = read_policy(path, directions())
    for fault in warnings:
        sys.stderr.write(f"{fault}\n")
    return policy
