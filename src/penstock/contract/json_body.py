"""The template of a JSON body: nested mappings and lists in which a text may hold placeholders."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from penstock.contract.placeholders import (
    ENCODINGS,
    JSON_PLACEHOLDER,
    Encoding,
    Scalar,
    text_of,
    unknown_placeholder,
)
from penstock.foundation.errors import UsageError

ReadInput = Callable[[str, Encoding], str]
"""Name of an input and how it is written → the text."""


@dataclass(frozen=True)
class Placeholder:
    """One placeholder of a template."""

    name: str
    encoding: str
    """``base64`` or ``data-url``: the input of that name; empty: the parameter."""
    path: str
    """Where in the template: ``input.image``."""


def body_placeholders(template: Any, path: str = "") -> Iterator[Placeholder]:
    """The placeholders of a template, in order."""
    if isinstance(template, str):
        for match in JSON_PLACEHOLDER.finditer(template):
            if match[2]:
                yield Placeholder(match[2], match[3] or "", path)
    elif isinstance(template, list):
        for index, item in enumerate(template):
            yield from body_placeholders(item, f"{path}[{index}]")
    elif isinstance(template, dict):
        for name, item in template.items():
            yield from body_placeholders(item, f"{path}.{name}" if path else name)


def filled_body(
    template: Any,
    parameters: Mapping[str, Scalar],
    inputs: Mapping[str, object],
    read: ReadInput,
    *,
    case: str,
    where: str,
) -> Any:
    """The template with its placeholders replaced. A text that is nothing but ``{NAME}`` becomes the parameter itself.

    Args:
        template: mappings, lists, texts, numbers, booleans and ``None``; names of fields are left alone.
        parameters: name → value.
        inputs: the names of the case's inputs.
        read: gives an input's content as text.
        case: name of the case, for messages.
        where: the field that the template is from.

    Raises:
        UsageError: nothing fills a placeholder.
    """

    def value_of(match: re.Match[str]) -> Scalar:
        name, encoding = match[2], match[3]
        if encoding is None:
            if name not in parameters:
                raise unknown_placeholder(name, parameters, case=case, where=where)
            return parameters[name]
        if encoding not in ENCODINGS:
            raise UsageError(
                f"'{{{name}|{encoding}}}' is not known",
                where=where,
                todo=f"Write {' or '.join(f'{{{name}|{known}}}' for known in ENCODINGS)}.",
            )
        if name not in inputs:
            raise UsageError(
                f"the case '{case}' has no input '{name}'", where=where, todo="Add it to the case's inputs."
            )
        return read(name, encoding)

    def text(match: re.Match[str]) -> str:
        return f"{{{match[1]}}}" if match[1] else text_of(value_of(match))

    if isinstance(template, str):
        whole = JSON_PLACEHOLDER.fullmatch(template)
        return value_of(whole) if whole and whole[2] else JSON_PLACEHOLDER.sub(text, template)
    if isinstance(template, list):
        return [filled_body(item, parameters, inputs, read, case=case, where=where) for item in template]
    if isinstance(template, dict):
        return {
            name: filled_body(item, parameters, inputs, read, case=case, where=where) for name, item in template.items()
        }
    return template
