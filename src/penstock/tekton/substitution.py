"""Tekton's ``$(...)`` substitution, pass by pass, and Kubernetes' expansion of ``$(VAR)`` and ``$$``.

Follows ``pkg/substitution`` and ``pkg/apis/pipeline/v1`` of Tekton Pipelines v1.15. Nothing here runs a shell: a value
is put into text and the text goes on as an argument, a script or an environment variable.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from penstock.tekton.values import Value, go_json

PARAM_PATTERNS = ("params.{}", 'params["{}"]', "params['{}']")
TASK_PARAM_PATTERNS = (*PARAM_PATTERNS, "inputs.params.{}")

EXPRESSION = re.compile(r"\$\([_a-zA-Z0-9.-]+(\[([0-9]+|\*)\])?\)")
"""What Tekton takes for a variable when it looks for references (only dots; brackets only for an index)."""
_NAME = r"[^)\n]{0,1024}"
_QUOTED = r"[^\n]{0,1024}?"
_INDEX = re.compile(r"\[([0-9])*\*?\]")
_PARAM_INDEX = re.compile(
    r"""\$\(params(?:\.[_a-zA-Z0-9.-]+|\['[_a-zA-Z0-9./-]+'\]|\["[_a-zA-Z0-9./-]+"\])\[[0-9]+\]\)"""
)


@dataclass
class Replacements:
    """What stands for what: keys are the text between ``$(`` and ``)``."""

    strings: dict[str, str] = field(default_factory=dict)
    arrays: dict[str, list[str]] = field(default_factory=dict)
    objects: dict[str, dict[str, str]] = field(default_factory=dict)

    def copy(self) -> Replacements:
        """A copy whose mappings can be changed."""
        return Replacements(dict(self.strings), dict(self.arrays), dict(self.objects))

    def update(self, other: Replacements) -> None:
        """Take over the replacements of ``other``; they win."""
        self.strings.update(other.strings)
        self.arrays.update(other.arrays)
        self.objects.update(other.objects)

    def add_param(self, name: str, value: Value, patterns: Iterable[str] = PARAM_PATTERNS) -> None:
        """Add one parameter in every notation: ``params.x``, ``params["x"]``, ``params['x']``."""
        for pattern in patterns:
            key = pattern.format(name)
            if isinstance(value, list):
                self.arrays[key] = value
                for index, item in enumerate(value):
                    self.strings[f"{key}[{index}]"] = item
            elif isinstance(value, dict):
                self.objects[key] = dict(value)
            else:
                self.strings[key] = value
        if isinstance(value, dict):
            for key, item in value.items():
                self.strings[f"params.{name}.{key}"] = item


def replace(text: str, strings: Mapping[str, str]) -> str:
    """``text`` with every ``$(key)`` replaced, in one pass: what is put in is not looked at again."""
    if "$(" not in text or not strings:
        return text
    parts: list[str] = []
    start = 0
    position = text.find("$(")
    while position >= 0:
        end = text.find(")", position)
        if end < 0:
            break
        key = text[position + 2 : end]
        if key in strings:
            parts += [text[start:position], strings[key]]
            start = position = end + 1
        else:
            position += 2
        position = text.find("$(", position)
    parts.append(text[start:])
    return "".join(parts)


def replace_item(text: str, replacements: Replacements) -> list[str]:
    """An item of a list: a reference to a whole array becomes all its items, anything else stays one item."""
    if text.startswith("$(") and text.endswith(")"):
        key = text[2:-1]
        for candidate in (key, key.removesuffix("[*]")):
            if candidate in replacements.arrays:
                return list(replacements.arrays[candidate])
    return [replace(text, replacements.strings)]


def replace_items(items: Iterable[str], replacements: Replacements) -> list[str]:
    """A list with :func:`replace_item` applied to each item."""
    return [new for item in items for new in replace_item(item, replacements)]


def replace_value(value: Value, replacements: Replacements) -> Value:
    """A parameter value. A text that is exactly one reference to an array or object becomes that array or object."""
    if isinstance(value, list):
        return replace_items(value, replacements)
    if isinstance(value, dict):
        return {key: replace(item, replacements.strings) for key, item in value.items()}
    if not EXPRESSION.fullmatch(value):
        return replace(value, replacements.strings)
    key = value.removeprefix("$(").removesuffix(")").removesuffix("[*]")
    new: Value = value
    if key in replacements.strings:
        new = replace(value, replacements.strings)
    if key in replacements.arrays:
        new = replace_item(value, replacements)
    if key in replacements.objects:
        new = dict(replacements.objects[key])
    return new


def replace_when_input(text: str, replacements: Replacements) -> str:
    """The input of a ``when``: a reference to a whole array becomes its JSON."""
    if _when_array(text, replacements):
        return go_json(replace_item(text, replacements))
    return replace(text, replacements.strings)


def replace_when_values(values: Iterable[str], replacements: Replacements) -> list[str]:
    """The values of a ``when``: a reference to a whole array becomes its items."""
    new: list[str] = []
    for text in values:
        new += (
            replace_item(text, replacements)
            if _when_array(text, replacements)
            else [replace(text, replacements.strings)]
        )
    return new


def _when_array(text: str, replacements: Replacements) -> bool:
    param = text.removeprefix("$(params.").removesuffix("[*])")
    result = text.removeprefix("$(").removesuffix("[*])")
    return f"params.{param}" in replacements.arrays or result in replacements.arrays


def expressions(texts: Iterable[str]) -> list[str]:
    """All variables in ``texts``, without ``$(`` and ``)``, in order."""
    return [match.group()[2:-1] for text in texts if "$(" in text for match in EXPRESSION.finditer(text)]


def value_texts(value: Value) -> list[str]:
    """The texts in a value."""
    if isinstance(value, list):
        return value
    return list(value.values()) if isinstance(value, dict) else [value]


@lru_cache(maxsize=512)
def _reference(prefix: str) -> re.Pattern[str]:
    return re.compile(
        rf"\$\({prefix}(?:\.(?P<dot>{_NAME})|\[\"(?P<double>{_QUOTED})\"\]|\['(?P<single>{_QUOTED})'\])\)"
    )


@dataclass(frozen=True)
class References:
    """The variables with one prefix in one text."""

    names: tuple[str, ...]
    """The variables as Tekton extracts them: ``obj`` of ``params.obj.key``, ``arr[*]`` of ``params.arr[*]``."""
    whole: tuple[str, ...]
    """The same, uncut: ``obj.key``."""
    first: str
    """The first reference, with ``$(`` and ``)``."""
    too_deep: bool
    """One of them has more than two parts after the prefix."""


def references(text: str, prefix: str) -> References:
    r"""Find ``$(prefix.NAME)``, ``$(prefix["NAME"])`` and ``$(prefix['NAME'])`` in ``text``.

    Args:
        text: where to look.
        prefix: a regular expression: ``params``, ``context\.task``.
    """
    if "$(" not in text:
        return References((), (), "", too_deep=False)
    names: list[str] = []
    whole: list[str] = []
    first = ""
    too_deep = False
    for match in _reference(prefix).finditer(text):
        first = first or match.group()
        dotted = match["dot"]
        if dotted and "." in dotted:
            too_deep = too_deep or dotted.count(".") > 1
            names.append(dotted.split(".", 1)[0])
        else:
            names.append(dotted or match["double"] or match["single"] or "")
        whole.append(dotted or match["double"] or match["single"] or "")
    return References(tuple(names), tuple(whole), first, too_deep)


def without_index(name: str) -> str:
    """``arr`` of ``arr[0]`` and ``arr[*]``."""
    return _INDEX.sub("", name)


def indexed_params(texts: Iterable[str]) -> list[tuple[str, str, int]]:
    """Every ``$(params.arr[3])`` in ``texts`` as (reference, ``arr``, 3), sorted, each once."""
    found = {match for text in texts if "$(" in text for match in _PARAM_INDEX.findall(text)}
    result = []
    for reference in sorted(found):
        index = re.search(r"\[([0-9]+)\]", reference)
        name = references(without_index(reference), "params").names
        if index and name:
            result.append((reference, name[0], int(index.group(1))))
    return result


def expand(text: str, lookup: Callable[[str], str | None]) -> str:
    """Kubernetes' expansion of a container's command, arguments and environment.

    ``$(VAR)`` becomes the variable's value and stays as it is if there is none; ``$$`` becomes ``$``.
    """
    parts: list[str] = []
    position = 0
    while (dollar := text.find("$", position)) >= 0 and dollar + 1 < len(text):
        parts.append(text[position:dollar])
        following = text[dollar + 1]
        if following == "$":
            parts.append("$")
            position = dollar + 2
        elif following == "(" and (end := text.find(")", dollar + 2)) >= 0:
            name = text[dollar + 2 : end]
            value = lookup(name)
            parts.append(f"$({name})" if value is None else value)
            position = end + 1
        else:
            parts.append("$" + following)
            position = dollar + 2
    return "".join(parts) + text[position:]
