"""What every command that runs a pipeline is given: ``NAME=VALUE`` pairs, workspaces, the model's repository."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from penstock.foundation.errors import UsageError
from penstock.local_run.run_python import python_params

_URL = re.compile(r"^([a-z][a-z0-9+.-]*::?//|[a-z][a-z0-9+.-]*::|[^/@]+@[^/:]+:)", re.IGNORECASE)


def is_local(repository: str) -> bool:
    """Whether a repository is a path of this machine, not a URL."""
    return not _URL.match(repository)


def pairs(texts: Sequence[str], option: str) -> dict[str, str]:
    """``NAME=VALUE`` texts as a mapping; the value may hold further ``=``.

    Args:
        texts: as they were given.
        option: where, for messages.

    Raises:
        UsageError: a text is not a pair, or a name is given twice.
    """
    found: dict[str, str] = {}
    for text in texts:
        key, equals, value = text.partition("=")
        if not key or not equals:
            raise UsageError(f"'{text}' is not NAME=VALUE", where=option)
        if key in found:
            raise UsageError(f"'{key}' is given twice", where=option)
        found[key] = value
    return found


def workspace_directories(texts: Sequence[str], *, ours: Sequence[str] = (), by: str = "") -> dict[str, Path]:
    """``--workspace NAME=DIR`` texts as absolute directories.

    Args:
        texts: as they were given.
        ours: workspaces that are not the user's to set.
        by: what sets them, for messages: ``the bisection``.

    Raises:
        UsageError: a text is not a pair, a workspace is not the user's to set, or a directory does not exist.
    """
    found = {key: Path(value) for key, value in pairs(texts, "--workspace").items()}
    for key, path in found.items():
        if key in ours:
            raise UsageError(f"'{key}' is set by {by}", where="--workspace", todo="Leave it out.")
        if not path.is_dir():
            raise UsageError(
                f"'{path}' is not a directory", where=f"--workspace {key}", todo="Make it, or name another."
            )
    return {key: path.absolute() for key, path in found.items()}


def free_params(texts: Sequence[str], *, ours: Sequence[str], by: str) -> dict[str, str]:
    """``--param NAME=VALUE`` texts as a mapping.

    Args:
        texts: as they were given.
        ours: parameters that are not the user's to set.
        by: what sets them, for messages: ``the bisection``.

    Raises:
        UsageError: a text is not a pair, or a parameter is not the user's to set.
    """
    params = pairs(texts, "--param")
    if taken := [name for name in ours if name in params]:
        raise UsageError(f"'{taken[0]}' is set by {by}", where="--param", todo="Leave it out.")
    return params


def repository_params(repository: str, python: str = "") -> dict[str, str]:
    """The pipeline's parameters that say where the model's files are and which Python runs them.

    Args:
        repository: a URL, or a path of this machine.
        python: ``--python``.

    Raises:
        UsageError: ``python`` is no environment.
    """
    if not is_local(repository):
        return {"url": repository} | python_params(None, python)
    path = Path(repository).absolute()
    return {"url": str(path), "allow-local": "true"} | python_params(path, python)
