"""Things that are named as text and loaded where they are used: what a table names costs nothing until then."""

from __future__ import annotations

from functools import reduce
from importlib import import_module
from typing import Any

Reference = str
"""``module:name``, for example ``penstock.cli.check:check`` or ``package.module:Class.method``."""


def load(reference: Reference) -> Any:
    """What ``module:name`` names.

    Raises:
        ImportError: there is no such module.
        AttributeError: the module has no such name.
    """
    module, _, name = reference.partition(":")
    return reduce(getattr, name.split("."), import_module(module))
