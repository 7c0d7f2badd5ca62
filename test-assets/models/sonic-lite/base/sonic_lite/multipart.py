"""Reading ``multipart/form-data`` (RFC 7578) that lies in memory."""

from __future__ import annotations

import re

from sonic_lite.parameters import RequestError

MAX_PARTS = 32
MAX_TEXT_BYTES = 1000
_BOUNDARY = re.compile(r'boundary=(?:"([^"]{1,70})"|([^\s;"]{1,70}))', re.IGNORECASE)
_NAME = re.compile(rb'(?:^|[;\s])name="([^"\r\n]{1,64})"', re.IGNORECASE)


def parse(content_type: str, body: bytes) -> dict[str, bytes]:
    """Field name → content. Raises RequestError (400) for what is not a form, or names a field twice."""
    match = _BOUNDARY.search(content_type)
    if not content_type.lower().startswith("multipart/form-data") or match is None:
        raise RequestError(400, "the request must be multipart/form-data with a boundary")
    mark = b"--" + (match[1] or match[2]).encode("latin-1", "replace")
    # A line break in front makes the first delimiter look like the others.
    parts = (b"\r\n" + body).split(b"\r\n" + mark, MAX_PARTS + 2)
    if len(parts) < 3 or len(parts) > MAX_PARTS + 2 or not parts[-1].startswith(b"--"):
        raise RequestError(400, "the form is broken off, empty or has too many parts")
    fields: dict[str, bytes] = {}
    for part in parts[1:-1]:
        head, found, content = part.partition(b"\r\n\r\n")
        lines = [line for line in head.split(b"\r\n") if line.lower().startswith(b"content-disposition:")]
        name = _NAME.search(lines[0]) if lines else None
        if not found or name is None:
            raise RequestError(400, "a part of the form has no name")
        key = name[1].decode("utf-8", "replace")
        if key in fields:
            raise RequestError(400, f"the field '{key}' is there twice", field=key)
        fields[key] = content
    return fields


def text(fields: dict[str, bytes]) -> dict[str, str]:
    """The same fields as text. Raises RequestError (400) for one that is long or not UTF-8."""
    texts = {}
    for name, content in fields.items():
        try:
            texts[name] = content.decode("utf-8")
        except UnicodeDecodeError:
            raise RequestError(400, f"'{name}' is not text", field=name) from None
        if len(content) > MAX_TEXT_BYTES:
            raise RequestError(400, f"'{name}' is too long", field=name)
    return texts
