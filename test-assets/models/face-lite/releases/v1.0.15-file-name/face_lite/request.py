"""What is asked for: files in a ``multipart/form-data`` body (RFC 7578), and why they may be refused."""

from __future__ import annotations

import re

MAX_PARTS = 8
_BOUNDARY = re.compile(r'boundary=(?:"([^"]{1,70})"|([^\s;"]{1,70}))', re.IGNORECASE)
_NAME = re.compile(rb'(?:^|[;\s])name="([^"\r\n]{1,64})"', re.IGNORECASE)
_FILE = re.compile(rb'(?:^|[;\s])filename="([^"\r\n]{0,1000})"', re.IGNORECASE)


class RequestError(Exception):
    """A request that is not served: the HTTP status, what is wrong, and with which field."""

    def __init__(self, status: int, error: str, field: str | None = None) -> None:
        """See the class."""
        super().__init__(error)
        self.status, self.error, self.field = status, error, field


def files_of(content_type: str, body: bytes, fields: tuple[str, ...]) -> dict[str, tuple[str, bytes]]:
    """Field → name and content of its file. Raises RequestError for a form that lacks one of the fields."""
    match = _BOUNDARY.search(content_type)
    if not content_type.lower().startswith("multipart/form-data") or match is None:
        raise RequestError(400, "the request must be multipart/form-data with a boundary")
    mark = b"--" + (match[1] or match[2]).encode("latin-1", "replace")
    # A line break in front makes the first delimiter look like the others.
    parts = (b"\r\n" + body).split(b"\r\n" + mark, MAX_PARTS + 2)
    if len(parts) < 3 or len(parts) > MAX_PARTS + 2 or not parts[-1].startswith(b"--"):
        raise RequestError(400, "the form is broken off, empty or has too many parts")
    found: dict[str, tuple[str, bytes]] = {}
    for part in parts[1:-1]:
        head, whole, content = part.partition(b"\r\n\r\n")
        lines = [line for line in head.split(b"\r\n") if line.lower().startswith(b"content-disposition:")]
        name = _NAME.search(lines[0]) if lines else None
        if not whole or name is None:
            raise RequestError(400, "a part of the form has no name")
        found[name[1].decode("utf-8", "replace")] = file_name(lines[0]), content
    for field in fields:
        if not found.get(field, ("", b""))[1]:
            raise RequestError(400, f"the file '{field}' is missing", field)
    return found


def file_name(disposition: bytes) -> str:
    """The file's own name in a line ``Content-Disposition``, empty where there is none; for people only."""
    name = _FILE.search(disposition)
    return name[1].decode("ascii") if name else ""
