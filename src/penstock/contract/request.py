"""What exactly is sent to a model for a case: parameters, requests, arguments of programs.

What a case has among its ``parameters`` wins over ``call.parameters``, where a preset keeps its defaults.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from penstock.contract.http_call import Http, HttpCall, header_problem, parts_of, where_of
from penstock.contract.json_body import ReadInput, body_placeholders, filled_body
from penstock.contract.models import Case, Command, Contract
from penstock.contract.placeholders import Scalar, filled, placeholders, text_of
from penstock.foundation.errors import UsageError

MAX_JSON_BODY = 256 << 20
"""A body of JSON is held in memory, its files included."""


@dataclass(frozen=True)
class Multipart:
    """Form fields, and the inputs that fill file fields."""

    fields: dict[str, str]
    files: dict[str, str]


@dataclass(frozen=True)
class JsonText:
    """A body of JSON, made when the inputs are read: see :func:`json_content`."""


@dataclass(frozen=True)
class RawFile:
    """One input is the body."""

    input: str
    media_type: str | None


@dataclass(frozen=True)
class Request:
    """One request for a case, all but the contents of its inputs."""

    method: str
    target: str
    """Path and query."""
    headers: dict[str, str]
    body: Multipart | JsonText | RawFile | None
    """``None``: a ``GET``."""


def parameters(contract: Contract, case: Case) -> dict[str, Scalar]:
    """The parameters of a case, with the contract's defaults below them."""
    return {**contract.call.parameters, **case.parameters}


def wanted_names(contract: Contract) -> set[str]:
    """The names of inputs and parameters that the call of a case wants."""
    http, command = contract.call.http, contract.call.command
    names = {name for text in (command.argv if command is not None else []) for name in placeholders(text)}
    for call in http.named_calls.values() if http is not None else ():
        names |= {name for _, text in parts_of(call) for name in placeholders(text)}
        names |= {name for _, name in call_inputs(call)}
        if call.body is not None:
            names |= {found.name for found in body_placeholders(call.body.template)}
    return names


def call_inputs(call: HttpCall) -> Iterator[tuple[str, str]]:
    """Field of the contract → name of an input that a call sends."""
    yield from ((f"files.{field}", name) for field, name in call.files.items())
    if call.body is not None:
        if call.body.file is not None:
            yield "body.file", call.body.file
        for found in body_placeholders(call.body.template):
            if found.encoding:
                yield f"body.json.{found.path}" if found.path else "body.json", found.name


def calls_of(http: Http, case: Case) -> dict[str, HttpCall]:
    """The calls that a case takes, in their order: all but the optional ones that send an input which it lacks."""
    return {
        name: call
        for name, call in http.named_calls.items()
        if not call.optional or all(needed in case.inputs for _, needed in call_inputs(call))
    }


def request_for(contract: Contract, case: Case, name: str = "") -> Request:
    """The request for ``case``.

    Args:
        contract: how the service is called.
        case: its parameters and inputs.
        name: which of the contract's ``calls``; empty where there is but one.

    Raises:
        UsageError: the contract calls no HTTP service; a parameter or an input is missing, or cannot be sent where it
            is wanted.
    """
    call, where = http_of(contract).named_calls[name], where_of(name)
    for field, needed in call_inputs(call):
        if needed not in case.inputs:
            todo = "Add it to the case's inputs."
            raise UsageError(f"the case '{case.name}' has no input '{needed}'", where=f"{where}.{field}", todo=todo)
    given = parameters(contract, case)
    known = {key: text_of(value) for key, value in given.items()}
    target = filled(call.path, known, case=case.name, where=f"{where}.path", written=lambda text: quote(text, safe=""))
    headers = {
        key: _header(
            filled(text, known, case=case.name, where=f"{where}.headers.{key}"), case, f"{where}.headers.{key}"
        )
        for key, text in call.headers.items()
    }
    return Request(call.method, target, headers, _body(call, case, given, known, where))


def _body(
    call: HttpCall, case: Case, given: Mapping[str, Scalar], known: Mapping[str, str], where: str
) -> Multipart | JsonText | RawFile | None:
    if call.method == "GET":
        return None
    if call.body is None:
        fields = {
            field: filled(text_of(value), known, case=case.name, where=f"{where}.fields.{field}")
            for field, value in call.fields.items()
        }
        return Multipart(fields, dict(call.files))
    if call.body.file is not None:
        return RawFile(call.body.file, call.body.media_type)
    _filled_template(call, case, given, lambda _name, _encoding: "", where)
    return JsonText()


def base64_bytes(size: int) -> int:
    """How long so many bytes are as base64."""
    return (size + 2) // 3 * 4


def json_content(contract: Contract, case: Case, name: str, read: ReadInput) -> bytes:
    """The body of a request that is JSON, in UTF-8.

    Args:
        contract: how the service is called.
        case: its parameters and inputs.
        name: which of the contract's ``calls``.
        read: gives an input's content as text.

    Raises:
        UsageError: as :func:`request_for`.
    """
    call = http_of(contract).named_calls[name]
    value = _filled_template(call, case, parameters(contract, case), read, where_of(name))
    return json.dumps(value, ensure_ascii=False, allow_nan=False).encode("utf-8")


def _filled_template(call: HttpCall, case: Case, given: Mapping[str, Scalar], read: ReadInput, where: str) -> object:
    template = call.body.template if call.body is not None else None
    return filled_body(template, given, case.inputs, read, case=case.name, where=f"{where}.body.json")


def _header(value: str, case: Case, where: str) -> str:
    """A header once its placeholders are replaced: nothing that came in may end it and begin another."""
    if problem := header_problem(value):
        raise UsageError(f"with the parameters of the case '{case.name}' the header {problem}", where=where)
    return value


def service_argv(contract: Contract, port: int) -> list[str]:
    """How to start the service on ``port``.

    Raises:
        UsageError: the contract calls no HTTP service, or an argument holds another placeholder than ``{port}``.
    """
    known = {"port": str(port)}
    return [
        filled(text, known, case=None, where=f"call.http.argv[{index}]")
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
        filled(text, known, case=case.name, where=f"call.command.argv[{index}]")
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
