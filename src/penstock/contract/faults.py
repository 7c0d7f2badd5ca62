"""What is wrong with a file that people wrote: place, plain words, and what to do."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ValidationError

from penstock.contract.model_fields import fields_at, places_of
from penstock.foundation.errors import UsageError, printable
from penstock.foundation.json_path import PATTERN as JSON_PATH
from penstock.foundation.yaml_text import Document, KeyPath

PATTERNS = {
    r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$": "lower-case letters, digits and hyphens, at most 63",
    r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$": "at most 100 letters, digits, '.', '_' and '-', the first a letter or digit",
    r"^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$": "lower-case letters, digits, '.' and '-', at most 253",
    r"^[0-9a-f]{64}$": "64 lower-case hexadecimal digits",
    r"^\.[a-z0-9]{1,8}$": "a suffix such as .mp4",
    r"^/[^\s]*$": "a path that begins with '/', without spaces",
    r"^[^\s#?]+$": "a path, without spaces, '#' and '?'",
    r"^[a-z]+/[a-z0-9.+-]+$": "a media type such as video/mp4",
    r"^/[^\s#]*$": "a path that begins with '/', without spaces and '#'",
    r"^[A-Za-z0-9-]{1,100}$": "the name of a header: letters, digits and hyphens",
    r"^[a-z][a-z0-9_-]{0,39}$": "lower-case letters, digits, '_' and '-', beginning with a letter, at most 40",
    r"^[1-5]xx$": "a class of statuses such as 4xx",
    JSON_PATH: "a path such as $.faces[0].score: '$', '.name' and '[0]' only",
    r"^[A-Za-z][A-Za-z0-9_.-]{0,63}$": "letters, digits, '_', '.' and '-', beginning with a letter, at most 64",
    r"^[A-Za-z][A-Za-z0-9-]{0,63}$": "the name of an attribute: letters, digits and hyphens, beginning with a letter",
    r"^[A-Za-z_][A-Za-z0-9_]{0,99}$": "letters, digits and '_', beginning with a letter",
    r"^\S(.*\S)?$": "one line that neither begins nor ends with a space",
    r"^[A-Za-z0-9][A-Za-z0-9.-]{0,252}(:[0-9]{1,5})?$": "a host such as example.org or example.org:443",
}
"""The models' patterns in plain words (a test holds the two together)."""

MEANT = "Did you mean"
BELONGS = "It belongs"
MAX_PLACES = 3
TYPES = {
    "string_type": "must be text",
    "int_type": "must be a whole number",
    "float_type": "must be a number",
    "float_parsing": "must be a number",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "list_type": "must be a list",
    "tuple_type": "must be a list",
    "dict_type": "must be a mapping (name: value)",
    "model_type": "must be a mapping (name: value)",
    "model_attributes_type": "must be a mapping (name: value)",
    "finite_number": "must be a finite number",
}


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong (or, as a ``warning``, likely so) in one file."""

    file: str
    line: int
    column: int
    field: str
    """``policy.rules[0].margin``; empty for the file as a whole."""
    what: str
    todo: str = ""
    warning: bool = False

    @property
    def where(self) -> str:
        """``penstock.yaml:12: policy.rules[0].margin``."""
        place = f"{self.file}:{self.line}"
        return f"{place}: {self.field}" if self.field else place

    def __str__(self) -> str:
        text = one_line(str(self.error()))
        return f"{text} (warning)" if self.warning else text

    def error(self) -> UsageError:
        """The fault as an exception."""
        return UsageError(self.what, where=self.where, todo=self.todo)


def one_line(text: str) -> str:
    """Safe to print as a line of its own: no control characters and no line breaks."""
    return printable(text).replace("\n", "\\n").replace("\t", "\\t")


def fault_at(document: Document, path: KeyPath, what: str, *, todo: str = "", warning: bool = False) -> Fault:
    """A fault at ``path``; if nothing stands there, its line is the parent's."""
    position = document.locate(path)
    return Fault(document.name, position.line, position.column, field_of(path), what, todo, warning)


def fault_of(error: UsageError, *, file: str) -> Fault:
    """The fault that a :class:`UsageError` of the YAML reader is about (``where`` is ``FILE`` or ``FILE:LINE``)."""
    line = error.where.removeprefix(file).lstrip(":").split(":")[0]
    return Fault(file, int(line) if line.isdigit() else 1, 1, "", error.what, error.todo)


def field_of(path: KeyPath) -> str:
    """``("policy", "rules", 0)`` → ``policy.rules[0]``."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def serious_faults(faults: Iterable[Fault]) -> list[Fault]:
    """The faults that are no warnings, by line; first those that say what was meant: they are why others are there."""
    serious = [fault for fault in faults if not fault.warning]
    return sorted(serious, key=lambda fault: (not fault.todo.startswith((MEANT, BELONGS)), fault.line))


def raise_first(faults: Iterable[Fault]) -> None:
    """Raise the first of :func:`serious_faults` as a :class:`UsageError` that says how many more there are."""
    serious = serious_faults(faults)
    if serious:
        first, more = serious[0], len(serious) - 1
        others = f"{more} more fault{'s' if more > 1 else ''}: `penstock check` lists all." if more else ""
        raise UsageError(first.what, where=first.where, todo=" ".join(part for part in (first.todo, others) if part))


def model_faults(
    error: ValidationError, document: Document, model: type[BaseModel], prefix: KeyPath = ()
) -> list[Fault]:
    """A validation error in plain words, with the lines of ``document``.

    Args:
        error: what pydantic found.
        document: what was validated, or contains it.
        model: what was validated; its field names are what a misspelt one is compared with.
        prefix: where in the document the validated value stands.
    """
    found: dict[tuple[str, bool], Fault] = {}
    for item in error.errors(include_url=False):
        loc = prefix + tuple(item["loc"])
        missing = item["type"] == "missing"
        path = _in_file(document, loc)
        if missing:
            path = (*path, loc[-1])
        what, todo = _plain(item, path, _value_at(document, path), model, prefix)
        if item["loc"] and item["loc"][-1] == "[key]":
            what = f"the name '{item['loc'][-2]}' is not allowed: {what}"
        found.setdefault((field_of(path), missing), fault_at(document, path, what, todo=todo))
    return sorted(found.values(), key=lambda fault: (fault.line, fault.column))


def _in_file(document: Document, loc: KeyPath) -> KeyPath:
    """The place in the file: a union adds the name of each alternative, which is no place."""
    path: KeyPath = ()
    for part in loc:
        if document.has((*path, part)):
            path = (*path, part)
    return path


def _plain(item: Any, path: KeyPath, value: Any, model: type[BaseModel], prefix: KeyPath) -> tuple[str, str]:
    """What is wrong, and what to do."""
    kind: str = item["type"]
    context: dict[str, Any] = item.get("ctx", {})
    if kind == "extra_forbidden":
        return f"unknown field '{path[-1]}'", _field_meant(str(path[-1]), path[len(prefix) : -1], model, prefix)
    if kind == "missing":
        return f"the field '{path[-1]}' is missing", ""
    if kind == "literal_error":
        if path == ("version",):
            return "this Penstock reads version 1", "Write 'version: 1'."
        values = str(context["expected"]).replace("'", "").replace(" or ", ", ").split(", ")
        return f"must be {context['expected']}", meant(str(value), values)
    if kind == "string_pattern_mismatch":
        todo = ""
        if str(context["pattern"]) == r"^[0-9a-f]{64}$":
            todo = "`sha256sum FILE` prints it."
        return f"must be {PATTERNS.get(str(context['pattern']), 'of the form ' + str(context['pattern']))}", todo
    if kind == "string_type" and isinstance(value, int | float):
        return "must be text", "Put it in quotes."
    if isinstance(context.get("error"), ValueError):
        return str(context["error"]), ""
    if value is None and kind in TYPES:
        return f"is empty, but {TYPES[kind]}", ""
    simple: dict[str, Callable[[], str]] = {
        "too_short": lambda: (
            f"must have at least {context['min_length']} entr{'y' if context['min_length'] == 1 else 'ies'}"
        ),
        "too_long": lambda: f"must have at most {context['max_length']} entries",
        "string_too_short": lambda: "must not be empty",
        "string_too_long": lambda: f"must be at most {context['max_length']} characters",
        "greater_than": lambda: f"must be above {context['gt']:g}",
        "greater_than_equal": lambda: f"must be at least {context['ge']:g}",
        "less_than": lambda: f"must be below {context['lt']:g}",
        "less_than_equal": lambda: f"must be at most {context['le']:g}",
    }
    if kind in simple:
        return simple[kind](), ""
    return TYPES.get(kind, str(item["msg"])), ""


def _value_at(document: Document, path: KeyPath) -> Any:
    value = document.value
    for part in path:
        if not document.has(path):
            return None
        value = value[part]
    return value


def _field_meant(word: str, path: KeyPath, model: type[BaseModel], prefix: KeyPath) -> str:
    """What to do about a field that is not known where it stands.

    ``It belongs under call.http.``; ``Did you mean 'containerfile'?``; else all fields that there are.
    """
    names = fields_at(model, path)
    close = meant(word, names)
    places = [_place_words(prefix + place) for place in places_of(model, word, path)]
    if places:
        belongs = f"{BELONGS} {', or '.join(places[:MAX_PLACES])}."
        return f"{belongs} Or d{close.removeprefix('D')}" if close else belongs
    return close or (f"Fields here: {', '.join(names)}." if names else "")


def _place_words(path: KeyPath) -> str:
    """``under call.http``; an entry of a list or mapping is written as one."""
    if not path:
        return "at the top of the file"
    if "*" not in path:
        return f"under {field_of(path)}"
    entry = path.index("*")
    below = f", under {field_of(path[entry + 1 :])}" if path[entry + 1 :] else ""
    return f"in an entry of {field_of(path[:entry])}{below}"


def meant(word: str, names: Iterable[str]) -> str:
    """``Did you mean 'containerfile'?``; empty where no name is close."""
    names = list(names)
    close = difflib.get_close_matches(word, names, n=1) or [name for name in names if name == word.lower()]
    return f"{MEANT} '{close[0]}'?" if close else ""
