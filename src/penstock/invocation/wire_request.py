"""The requests of cases as bytes, as the load generator sends them: the same that *infer* sends."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import httpx

from penstock.contract.models import Case, Contract
from penstock.contract.request import http_of
from penstock.invocation.http_answer import JSON
from penstock.invocation.http_request import RequestContent
from penstock.load.load_request import LoadRequest

_LEFT_OUT: Final = frozenset({b"transfer-encoding", b"content-length", b"connection"})
"""The body is whole, and connections are kept."""


def wire_request(contract: Contract, case: Case, name: str, inputs: Mapping[str, Path], port: int) -> LoadRequest:
    """One request for a case.

    Args:
        contract: how the service is called.
        case: its parameters and inputs.
        name: which of the contract's ``calls``; empty where there is but one.
        inputs: the case's files.
        port: where the service is, on the loopback.

    Raises:
        UsageError: a file, a parameter or an input is missing, or cannot be sent where it is wanted.
    """
    call = http_of(contract).named_calls[name]
    with contextlib.ExitStack() as stack:
        content = RequestContent(contract, case, name, inputs, stack)
        headers = {
            "Accept": JSON if call.answer else call.response,
            "Accept-Encoding": "identity",
            "User-Agent": "penstock-load",
            **content.headers,
        }
        made = httpx.Request(
            content.method, f"http://127.0.0.1:{port}{content.target}", headers=headers, **content.body
        )
        body = made.read()
    lines = [name + b": " + value for name, value in made.headers.raw if name.lower() not in _LEFT_OUT]
    if content.method != "GET":
        lines.append(b"Content-Length: " + str(len(body)).encode("ascii"))
    first = content.method.encode("ascii") + b" " + made.url.raw_path + b" HTTP/1.1"
    return LoadRequest(content.method, b"\r\n".join([first, *lines, b"", b""]) + body)
