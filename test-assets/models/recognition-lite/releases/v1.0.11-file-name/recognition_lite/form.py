"""Reading ``multipart/form-data`` (RFC 7578) that lies in memory."""

from __future__ import annotations

import re
from dataclasses import dataclass

from recognition_lite.request import RequestError

MAX_PARTS = 8
_BOUNDARY = re.compile(r'boundary=(?:"([^"]{1,70})"|([^\s;"]{1,70}))', re.IGNORECASE)
_NAME = re.compile(rb'(?:^|[;\s])name="([^"\r\n]{1,64})"', re.IGNORECASE)
_FILENAME = re.compile(rb'(?:^|[;\s])filename="([^"\r\n]{0,1000})"', re.IGNORECASE)


@dataclass(frozen=True)
class File:
    """A file that was sent, and what it is called there."""

    name: str
    content: bytes


def image_of(content_type: str, body: bytes) -> File:
    """The form's file ``image``. Raises RequestError (400) for what is not a form, or has none or several."""
    match = _BOUNDARY.search(content_type)
    if not content_type.lower().startswith("multipart/form-data") or match is None:
        raise RequestError(400, "the request must be multipart/form-data with a boundary")
    mark = b"--" + (match[1] or match[2]).encode("latin-1", "replace")
    # A line break in front makes the first delimiter look like the others.
    parts = (b"\r\n" + body).split(b"\r\n" + mark, MAX_PARTS + 2)
    if len(parts) < 3 or len(parts) > MAX_PARTS + 2 or not parts[-1].startswith(b"--"):
        raise RequestError(400, "the form is broken off, empty or has too many parts")
    images = []
    for part in parts[1:-1]:
        head, found, content = part.partition(b"\r\n\r\n")
        lines = [line for line in head.split(b"\r\n") if line.lower().startswith(b"content-disposition:")]
        name = _NAME.search(lines[0]) if lines else None
        if not found or name is None:
            raise RequestError(400, "a part of the form has no name")
        if name[1] == b"image":
            images.append(File(file_name(lines[0]), content))
    if len(images) != 1 or not images[0].content:
        raise RequestError(400, "the form needs one file 'image'", "image")
    return images[0]


def file_name(line: bytes) -> str:
    """What the file is called where it came from; ``image`` if nothing is said of it."""
    match = _FILENAME.search(line)
    return match[1].decode("ascii") if match and match[1] else "image"
