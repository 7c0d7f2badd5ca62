"""The interfaces of known systems, and what exactly is sent to a model for a case.

A preset fills ``call`` of the contract. What the contract writes beside it wins, field by field; what a case has among
its ``parameters`` wins over ``call.parameters``, where the preset keeps its defaults. ``{NAME}`` in an argument or a
form field is replaced once (what comes in is not looked at again); ``{{NAME}}`` stands for the text ``{NAME}``; other
braces are left alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from penstock.families.registry import find_preset
from penstock.foundation.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from penstock.contract.models import Case, Command, Contract, Http, Scalar

PLACEHOLDER = re.compile(r"\{\{([A-Za-z_][A-Za-z0-9_-]*)\}\}|\{([A-Za-z_][A-Za-z0-9_-]*)\}")
RESERVED = ("output", "port")


def with_preset(name: str, call: Mapping[str, Any]) -> dict[str, Any]:
    """The ``call`` section with the preset filled in below what stands there; what is no mapping stays as it is.

    Of a preset that no family has, nothing is filled in: ``penstock check`` says so.
    """
    preset = find_preset(name)
    filled = dict(call)
    if preset is None:
        return filled
    if isinstance(call.get("http"), dict):
        filled["http"] = _over(preset.http, call["http"])
    if isinstance(call.get("parameters", {}), dict):
        filled["parameters"] = _over(preset.parameters, call.get("parameters", {}))
    return filled


def _over(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(below)
    for key, value in above.items():
        merged[key] = (
            _over(below[key], value) if isinstance(value, dict) and isinstance(below.get(key), dict) else value
        )
    return merged


def parameters(contract: Contract, case: Case) -> dict[str, Scalar]:
    """The parameters of a case, with the contract's defaults below them."""
    return {**contract.call.parameters, **case.parameters}


def wanted_names(contract: Contract) -> set[str]:
    """The names of inputs and parameters that the call of a case wants."""
    http, command = contract.call.http, contract.call.command
    texts = [text_of(value) for value in http.fields.values()] if http is not None else []
    texts += command.argv if command is not None else []
    return {name for text in texts for name in placeholders(text)}


def request_fields(contract: Contract, case: Case) -> dict[str, str]:
    """The form fields of the request for ``case``, as text: ``true``/``false``, ``25``, ``1.1``.

    Raises:
        UsageError: the contract calls no HTTP service, or a field wants a parameter that neither case nor contract has.
    """
    known = {name: text_of(value) for name, value in parameters(contract, case).items()}
    return {
        field: _filled(text_of(value), known, case=case, where=f"call.http.fields.{field}")
        for field, value in http_of(contract).fields.items()
    }


def request_files(contract: Contract, case: Case) -> dict[str, str]:
    """The file fields of the request for ``case``: multipart field → name of the case's input.

    Raises:
        UsageError: the contract calls no HTTP service, or the case lacks an input.
    """
    files = http_of(contract).files
    for field, name in files.items():
        if name not in case.inputs:
            raise UsageError(
                f"the case '{case.name}' has no input '{name}'",
                where=f"call.http.files.{field}",
                todo="Add it to the case's inputs.",
            )
    return dict(files)


def service_argv(contract: Contract, port: int) -> list[str]:
    """How to start the service on ``port``.

    Raises:
        UsageError: the contract calls no HTTP service, or an argument holds another placeholder than ``{port}``.
    """
    known = {"port": str(port)}
    return [
        _filled(text, known, case=None, where=f"call.http.argv[{index}]")
        for index, text in enumerate(http_of(contract).argv)
    ]


def command_argv(contract: Contract, case: Case, paths: Mapping[str, str | Path]) -> list[str]:
    """Program and arguments for ``case``.

    Args:
        contract: how the program is called.
        case: its parameters fill placeholders.
        paths: input name → file, and ``output`` → the file to write.

    Raises:
        UsageError: the contract calls no command, or a placeholder is neither an input nor a parameter of the case.
    """
    known = {name: text_of(value) for name, value in parameters(contract, case).items()}
    known |= {name: str(path) for name, path in paths.items()}
    return [
        _filled(text, known, case=case, where=f"call.command.argv[{index}]")
        for index, text in enumerate(command_of(contract).argv)
    ]


def http_of(contract: Contract) -> Http:
    """The contract's ``call.http``.

    Raises:
        UsageError: the contract calls a command.
    """
    if contract.call.http is None:
        raise UsageError("the contract calls no HTTP service", where="call.http")
    return contract.call.http


def command_of(contract: Contract) -> Command:
    """The contract's ``call.command``.

    Raises:
        UsageError: the contract calls an HTTP service.
    """
    if contract.call.command is None:
        raise UsageError("the contract calls no command", where="call.command")
    return contract.call.command


def placeholders(text: str) -> list[str]:
    """The names that stand in braces in ``text``, in order."""
    return [match[2] for match in PLACEHOLDER.finditer(text) if match[2]]


def text_of(value: Scalar) -> str:
    """A value as a form field or argument carries it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else repr(value)


def _filled(text: str, known: Mapping[str, str], *, case: Case | None, where: str) -> str:
    def replace(match: re.Match[str]) -> str:
        if match[1]:
            return f"{{{match[1]}}}"
        if match[2] not in known:
            raise unknown_placeholder(match[2], known, case=case.name if case else None, where=where)
        return known[match[2]]

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
