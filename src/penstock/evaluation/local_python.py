"""Which Python a run's model gets, where it has no image."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from penstock.bundle.models import Run
from penstock.contract.models import Contract
from penstock.invocation.environment import PythonEnvironment, choose_environment
from penstock.invocation.isolation import in_pod
from penstock.invocation.sandbox import ImageFiles


@dataclass(frozen=True)
class Named:
    """What the parameters of the run name; empty if they name none."""

    python: str
    """What ``--python`` named."""
    found: str
    """What was found where ``penstock run`` was typed: an active environment, or the repository's own."""


def local_environment(
    contract: Contract, run: Run, code: Path, named: Named, image: ImageFiles | None = None
) -> PythonEnvironment | None:
    """The environment; ``None`` on a cluster, where the model runs on its image's Python whatever ``call.python`` says.

    ``call.python`` is relative to the directory that the repository was cloned from, if that is one of this machine: an
    environment is not in a clone.

    Raises:
        UsageError: what is named is no environment.
    """
    if image is not None or in_pod():
        return None
    origin = Path(run.source.url) if run.source is not None else code
    repository = origin if origin.is_absolute() and origin.is_dir() else code
    return choose_environment(
        option=named.python, contract=contract.call.python, found=named.found, repository=repository
    )
