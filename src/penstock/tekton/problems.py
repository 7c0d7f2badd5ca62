"""What is wrong in a manifest, with its path; and the checks of single texts that Tekton's webhook makes."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from penstock.tekton.substitution import references, without_index

Path = tuple[str | int, ...]

DNS_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
DNS_SUBDOMAIN = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
QUALIFIED_NAME = re.compile(r"([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]")


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong, and the path of the field."""

    path: Path
    message: str


Problems = Iterator[Problem]


def path_text(path: Path) -> str:
    """``spec.tasks[2].name``."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def unknown_variable(text: str, prefix: str, known: Collection[str]) -> str | None:
    """A message if ``text`` refers to a variable that is not ``known``."""
    found = references(text, prefix)
    if found.too_deep:
        return _too_deep(text)
    if any(without_index(name) not in known for name in found.names):
        return f'non-existent variable in "{text[:200]}"'
    return None


def _too_deep(text: str) -> str:
    limit = "Only two dot-separated components after the prefix are allowed"
    return f'Invalid referencing of parameters in "{text[:200]}"! {limit}'


def prohibited_variable(text: str, prefix: str, prohibited: Collection[str]) -> str | None:
    """A message if ``text`` refers to a whole array where text is wanted."""
    found = references(text, prefix)
    if found.too_deep:
        return _too_deep(text)
    if any(name.removesuffix("[*]") in prohibited for name in found.names):
        return f'variable type invalid in "{text[:200]}"'
    return None


def whole_variable(text: str, prefix: str, prohibited: Collection[str]) -> str | None:
    """A message if ``text`` refers to a whole object where one of its keys is wanted."""
    if not prohibited:
        return None
    if any(name.removesuffix("[*]") in prohibited for name in references(text, prefix).whole):
        return f'variable type invalid in "{text[:200]}"'
    return None


def not_isolated(text: str, prefix: str, arrays: Collection[str]) -> str | None:
    """A message if a reference to a whole array is not all that ``text`` holds."""
    found = references(text, prefix)
    if found.too_deep:
        return _too_deep(text)
    for name in found.names:
        if name.removesuffix("[*]") in arrays and text != found.first:
            return f'variable is not properly isolated in "{text[:200]}"'
    return None


def duplicates(names: list[str]) -> list[int]:
    """The indices of the names that were there before."""
    seen: set[str] = set()
    result = []
    for index, name in enumerate(names):
        if name in seen:
            result.append(index)
        seen.add(name)
    return result


def duplicates_in_any_case(names: list[str]) -> list[int]:
    """The same, where Tekton takes ``X`` and ``x`` for one name."""
    return duplicates([name.lower() for name in names])
