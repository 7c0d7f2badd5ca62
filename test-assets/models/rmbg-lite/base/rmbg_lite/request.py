"""What is asked for, and why it may be refused."""

from __future__ import annotations

import base64
import binascii
import json


class RequestError(Exception):
    """A request that is not served: the HTTP status, what is wrong, and with which field."""

    def __init__(self, status: int, error: str, field: str | None = None) -> None:
        """See the class."""
        super().__init__(error)
        self.status, self.error, self.field = status, error, field


def image_of(body: bytes) -> bytes:
    """The file in ``{"image": base64}``; a data URL and line breaks will do. Raises RequestError."""
    try:
        asked = json.loads(body)
    except (ValueError, RecursionError):
        raise RequestError(400, "the request is not JSON") from None
    text = asked.get("image") if isinstance(asked, dict) else None
    if not isinstance(text, str) or not text:
        raise RequestError(400, "the field 'image' is missing: the picture as base64", "image")
    if text.startswith("data:"):
        text = text.partition(",")[2]
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        raise RequestError(400, "the field 'image' is not base64", "image") from None
