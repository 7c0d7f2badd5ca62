"""A file of the store as an answer: all of it, or the part that was asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import chain

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from penstock.book.evidence import UnfitRangeError, part_of
from penstock.book.shelf import Shelf


def sent_file(shelf: Shelf, request: Request, key: str, media_type: str, more: Mapping[str, str]) -> Response:
    """Answer ``GET`` or ``HEAD``, with ``Range``, ``If-Range`` and ``If-None-Match`` where there is an ``ETag``.

    Args:
        shelf: the store.
        request: what was asked.
        key: of the object.
        media_type: what it is sent as.
        more: its other headers.

    Raises:
        HTTPException: 404, there is no such object.
        StoreAwayError: the store is slow or cannot be reached; nothing was sent then.
    """
    headers, mark = {**more, "Accept-Ranges": "bytes"}, more.get("ETag")
    if mark is not None and request.headers.get("if-none-match") == mark:
        return Response(status_code=304, headers=headers)
    size = shelf.pool.ask(lambda: shelf.store.size(key))
    if size is None:
        raise HTTPException(404)
    asked = request.headers.get("range", "")
    if request.headers.get("if-range", mark) != mark:
        asked = ""
    try:
        part = part_of(size, asked)
    except UnfitRangeError:
        return Response(status_code=416, headers={**headers, "Content-Range": f"bytes */{size}"})
    headers["Content-Length"] = str(part.length)
    if not part.whole:
        headers["Content-Range"] = f"bytes {part.start}-{part.start + part.length - 1}/{size}"
    status = 200 if part.whole else 206
    if request.method == "HEAD":
        return Response(status_code=status, headers=headers, media_type=media_type)
    pieces = shelf.store.read_range(key, part.start, part.length)
    first = shelf.pool.ask(lambda: next(pieces, b""))  # a store that is away is told before anything is sent
    content: Iterator[bytes] = chain([first], pieces)
    return StreamingResponse(content, status_code=status, headers=headers, media_type=media_type)
