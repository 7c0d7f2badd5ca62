"""The platform's policy floor: rules beside a repository's own, which that repository cannot waive or soften."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field

from penstock.contract.load import load_file
from penstock.contract.policy import Policy, Rule, Strict
from penstock.foundation.errors import UsageError

FLOOR_FILE = "policy-floor.yaml"
"""The file in the workspace ``policy-floor``, and in the bundle."""
MinCases = Annotated[int, Field(ge=1, le=10_000, strict=True)]


class FloorRule(Rule):
    """A rule of the floor: as in a policy, with a least number of cases."""

    min_cases: MinCases | None = None
    """Of this rule; ``None``: the floor's."""


class PolicyFloor(Strict):
    """What every model must hold, whatever its own policy says."""

    level: Annotated[float, Field(gt=0, lt=0.5, strict=True)] = 0.05
    """As a policy's; the repository's own level has no say here."""
    min_cases: MinCases = 1
    """Each rule fails if it looks at fewer cases."""
    rules: Annotated[list[FloorRule], Field(min_length=1, max_length=200)]

    def as_policy(self) -> Policy:
        """The same rules as a policy that has no waivers."""
        return Policy(level=self.level, rules=list(self.rules))


def load_floor(path: Path) -> PolicyFloor:
    """The floor in a file.

    Raises:
        UsageError: ``where`` is ``FILE:LINE: field.path``.
    """
    return load_file(path, PolicyFloor)


def floor_in(folder: Path | None) -> Path | None:
    """The floor's file in a workspace; ``None``: the platform has set none.

    Raises:
        UsageError: the workspace holds something, but not under this name: a floor is never passed over in silence.
    """
    if folder is None:
        return None
    found = folder / FLOOR_FILE
    if not found.is_file():
        names = sorted(entry.name for entry in folder.iterdir() if not entry.name.startswith(".."))
        raise UsageError(
            f"there is no {FLOOR_FILE}",
            where="workspace policy-floor",
            todo=f"It holds {', '.join(names) or 'nothing'}: name the key {FLOOR_FILE}.",
        )
    return found
