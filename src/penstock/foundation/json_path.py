"""A small part of JSONPath: ``$`` for the whole, ``.name`` for a field, ``[0]`` for an entry of a list.

So ``$.detections[0].box``. A name is of letters, digits, ``_`` and ``-``; nothing else of JSONPath (``*``, ``..``,
filters, negative numbers) is read.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from penstock.foundation.strict_json import show_json

PATTERN = r"^\$(\.[A-Za-z_][A-Za-z0-9_-]{0,99}|\[[0-9]{1,6}\]){0,32}$"
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,99}")
_STEP = re.compile(r"\.([A-Za-z0-9_-]+)|\[([0-9]+)\]")


class NoValueError(LookupError):
    """Nothing stands at a path; the message says how far it leads."""


def value_at(value: Any, path: str) -> Any:
    """What stands at ``path`` in a JSON value.

    Example:
        >>> value_at({"faces": [{"score": 0.5}]}, "$.faces[0].score")
        0.5

    Raises:
        NoValueError: nothing does.
    """
    here = "$"
    for step in _STEP.finditer(path):
        name, index = step[1], step[2]
        if name is not None:
            if not isinstance(value, dict):
                raise NoValueError(f"{here} is {kind_of_json(value)}, not an object, so that there is no {path}")
            if name not in value:
                raise NoValueError(f"{here} has no '{name}'")
            value = value[name]
        else:
            if not isinstance(value, list):
                raise NoValueError(f"{here} is {kind_of_json(value)}, not a list, so that there is no {path}")
            if int(index) >= len(value):
                raise NoValueError(f"the list at {here} has no entry [{int(index)}]: its length is {len(value)}")
            value = value[int(index)]
        here += step[0]
    return value


def kind_of_json(value: Any) -> str:
    """``a list``, ``a number``, … in words."""
    if value is None:
        return "null"
    kinds = {bool: "true or false", str: "text", list: "a list", dict: "an object"}
    return kinds.get(type(value), "a number")


def mismatch(value: Any, wanted: Mapping[str, Any]) -> str | None:
    """Why a JSON value does not have the ``wanted`` values (path → value), or ``None`` if it has all of them.

    Types count: ``1`` is not ``true`` and not ``"1"``; ``1`` and ``1.0`` are the same number.
    """
    for path, expected in wanted.items():
        try:
            found = value_at(value, path)
        except NoValueError as error:
            return str(error)
        if isinstance(found, bool) is not isinstance(expected, bool) or found != expected:
            return f"{path} is {show_json(found)} where {show_json(expected)} was expected"
    return None


def shown_path(path: Sequence[str | None]) -> str:
    """A path of names from the whole inwards as people read it; ``None`` is any entry of a list.

    Example:
        >>> shown_path(("objects", None, "top left"))
        '$.objects[]."top left"'
    """
    names = ("[]" if name is None else f".{name if _NAME.fullmatch(name) else show_json(name)}" for name in path)
    return "$" + "".join(names)
