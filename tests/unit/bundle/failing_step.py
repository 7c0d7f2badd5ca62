"""A step that fails when it is told to."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from penstock.bundle.directory import Bundle
from penstock.foundation.errors import NoSpaceError, WorldError
from penstock.steps.entrypoint import param, run_step, workspace


@dataclass(frozen=True)
class Arguments:
    """A step that fails when it is told to."""

    error: str = param("what it fails with", default="")
    full_disk: bool = param("whether it fails for want of space", default=False)
    shard: str = param("which part", default="")
    bundle: Path = workspace("the run's bundle")


def step(arguments: Arguments) -> dict[str, str]:
    if arguments.full_disk:
        raise NoSpaceError("no space is left on the disk")
    if arguments.error:
        raise WorldError(arguments.error, where="s3://evidence", todo="Try again.")
    return {}


def run(bundle: Bundle, *more: str, name: str = "archive") -> int:
    return run_step(name, Arguments, (), step, [f"--bundle={bundle.path}", *more])
