"""Which Python the model of a local run gets, as parameters of the pipeline: ``--python``, or what the shell has."""

from __future__ import annotations

from pathlib import Path

from penstock.invocation.environment import environment_at, named_by_shell


def python_params(repository: Path | None, named: str = "") -> dict[str, str]:
    """The parameters that say which Python a model gets that runs without an image.

    Args:
        repository: the model's, if it is a directory of this machine.
        named: ``--python``.

    Raises:
        UsageError: it is no environment.
    """
    if named:
        path = Path(named).expanduser().absolute()
        environment_at(path, "--python")  # a mistake is told before anything runs
        return {"python": str(path)}
    found = named_by_shell(repository)
    return {"python-found": found} if found else {}
