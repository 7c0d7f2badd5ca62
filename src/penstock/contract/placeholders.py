"""``{NAME}`` in a text of the contract, and what stands in its place.

A placeholder is replaced once (what comes in is not looked at again); ``{{NAME}}`` stands for the text ``{NAME}``;
other braces are left alone. In a JSON body, ``{NAME|base64}`` and ``{NAME|data-url}`` are the case's input NAME.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Annotated, Final, Literal

from pydantic import Field

from penstock.foundation.errors import UsageError

Scalar = str | int | float | bool
VariableName = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,99}$")]
"""Of an environment variable or a build argument."""
Encoding = Literal["base64", "data-url"]
ENCODINGS: Final[tuple[Encoding, ...]] = ("base64", "data-url")
RESERVED = ("output", "port")
_NAME = r"[A-Za-z_][A-Za-z0-9_-]*"
PLACEHOLDER = re.compile(rf"\{{\{{({_NAME})\}}\}}|\{{({_NAME})\}}")
JSON_PLACEHOLDER = re.compile(rf"\{{\{{({_NAME}(?:\|{_NAME})?)\}}\}}|\{{({_NAME})(?:\|({_NAME}))?\}}")
"""Group 1: the text of an escaped one; 2 and 3: the name, and how its file is written."""


def placeholders(text: str) -> list[str]:
    """The names that stand in braces in ``text``, in order."""
    return [match[2] for match in PLACEHOLDER.finditer(text) if match[2]]


def text_of(value: Scalar) -> str:
    """A value as a form field or argument carries it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else repr(value)


def filled(
    text: str,
    known: Mapping[str, str],
    *,
    case: str | None,
    where: str,
    written: Callable[[str], str] = lambda value: value,
) -> str:
    """``text`` with its placeholders replaced.

    Args:
        text: what the contract says.
        known: name → value.
        case: name of the case, for messages; ``None``: no case is concerned.
        where: the field that ``text`` is from.
        written: how a value is written into the text, by default as it is.

    Raises:
        UsageError: nothing fills a placeholder.
    """

    def replace(match: re.Match[str]) -> str:
        if match[1]:
            return f"{{{match[1]}}}"
        if match[2] not in known:
            raise unknown_placeholder(match[2], known, case=case, where=where)
        return written(known[match[2]])

    return PLACEHOLDER.sub(replace, text)


def unknown_placeholder(name: str, known: Iterable[str], *, case: str | None, where: str) -> UsageError:
    """The error for a ``{NAME}`` that nothing fills."""
    there = ", ".join(f"{{{item}}}" for item in sorted(known)) or "none"
    if case is None:
        return UsageError(
            f"nothing fills '{{{name}}}'",
            where=where,
            todo=f"Known here: {there}. Write '{{{{{name}}}}}' for the text itself.",
        )
    todo = f"Add the parameter to the case or to call.parameters. Known for this case: {there}."
    return UsageError(f"the case '{case}' has nothing that fills '{{{name}}}'", where=where, todo=todo)
