"""A request for a case with the contents of its inputs, as httpx sends it.

A file is sent under its own name: what a service does with a name (its suffix, characters beyond ASCII) is part of what
is tested. In ``Content-Disposition`` the name is UTF-8, with ``"`` and line breaks percent-encoded, as browsers and
RFC 7578 have it.
"""

from __future__ import annotations

import base64
import contextlib
import mimetypes
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

from penstock.contract.models import Case, Contract
from penstock.contract.placeholders import Encoding
from penstock.contract.request import (
    MAX_JSON_BODY,
    JsonText,
    Multipart,
    RawFile,
    base64_bytes,
    json_content,
    request_for,
)
from penstock.foundation.errors import UsageError
from penstock.foundation.files import open_inside
from penstock.foundation.media_kinds import media_type_of

_BY_SUFFIX = mimetypes.MimeTypes()
"""Python's own list, not the machine's: the same type everywhere."""


class RequestContent:
    """What httpx is told of a request: keyword arguments, with files that are open while ``stack`` is."""

    def __init__(
        self, contract: Contract, case: Case, name: str, inputs: Mapping[str, Path], stack: contextlib.ExitStack
    ) -> None:
        self._case = case
        self._inputs = inputs
        self._stack = stack
        self._encoded_bytes = 0
        request = request_for(contract, case, name)
        self.method, self.target = request.method, request.target
        self.headers = dict(request.headers)
        self.body: dict[str, Any] = {}
        match request.body:
            case Multipart(fields=fields, files=files):
                self.body = {"data": fields, "files": {field: self._part(wanted) for field, wanted in files.items()}}
            case RawFile(input=wanted, media_type=media_type):
                file = self._open(wanted)
                self.body = {"content": file}
                self.headers["Content-Type"] = media_type or file_type(self._inputs[wanted], file)
            case JsonText():
                self.body = {"content": json_content(contract, case, name, self._text)}
                self.headers["Content-Type"] = "application/json"

    def _open(self, name: str) -> BinaryIO:
        where = f"input '{name}' of case '{self._case.name}'"
        return self._stack.enter_context(open_inside(self._inputs[name], where=where))

    def _part(self, name: str) -> tuple[str, BinaryIO, str]:
        file = self._open(name)
        return self._inputs[name].name, file, file_type(self._inputs[name], file)

    def _text(self, name: str, encoding: Encoding) -> str:
        file = self._open(name)
        kind = file_type(self._inputs[name], file)
        content = file.read(MAX_JSON_BODY + 1)
        self._encoded_bytes += base64_bytes(len(content))
        if self._encoded_bytes > MAX_JSON_BODY:
            raise UsageError(
                f"the inputs make a body of JSON larger than {MAX_JSON_BODY >> 20} MiB",
                where=f"case '{self._case.name}'",
                todo="Use smaller files.",
            )
        text = base64.b64encode(content).decode("ascii")
        return f"data:{kind};base64,{text}" if encoding == "data-url" else text


def file_type(path: Path, file: BinaryIO) -> str:
    """The media type of a file: what its first bytes say, else its suffix. ``file`` is left at its beginning."""
    found = media_type_of(file)
    file.seek(0)
    return found or _BY_SUFFIX.guess_type(path.name, strict=False)[0] or "application/octet-stream"
