"""The document from where it is: asked of the service, or read from the repository. Both are strangers'."""

from __future__ import annotations

import http.client
import time
from pathlib import Path
from typing import Final

from penstock.contract.interface import ServiceInterface
from penstock.foundation.errors import UsageError
from penstock.foundation.files import inside, read_regular
from penstock.interface.document import MAX_DOCUMENT_BYTES, ApiDocument, DocumentError, read_document

FETCH_S: Final = 30.0


def fetched_document(interface: ServiceInterface, source: Path, port: int) -> ApiDocument:
    """The document of a service.

    Args:
        interface: says where it is.
        source: the repository.
        port: where the service is, on the loopback.

    Raises:
        DocumentError: there is none, or it cannot be used.
    """
    if not interface.served:
        where = "interface.document"
        try:
            path = inside(source, interface.document, where=where)
            return read_document(read_regular(path, max_bytes=MAX_DOCUMENT_BYTES, where=where))
        except UsageError as error:
            raise DocumentError(error.what) from None
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=FETCH_S)
    try:
        connection.request("GET", interface.document, headers={"Accept": "application/json, application/yaml"})
        response = connection.getresponse()
        if response.status != 200:
            raise DocumentError(f"the service answers {response.status} to GET {interface.document}")
        if response.headers.get("Content-Encoding", "identity").lower() != "identity":
            raise DocumentError("the service sends it compressed, which nobody asked for")
        content = _read(response)
    except (OSError, http.client.HTTPException, ValueError) as error:
        if isinstance(error, DocumentError):
            raise
        raise DocumentError(f"the service does not send it: {type(error).__name__}") from None
    finally:
        connection.close()
    return read_document(content, media_type=response.headers.get("Content-Type", ""))


def _read(response: http.client.HTTPResponse) -> bytes:
    deadline = time.monotonic() + FETCH_S
    content = bytearray()
    while part := response.read1(1 << 16):
        content += part
        if len(content) > MAX_DOCUMENT_BYTES:
            break  # its size is said where it is read
        if time.monotonic() > deadline:
            raise DocumentError(f"the service does not send all of it within {FETCH_S:g} s")
    else:
        if response.length:
            raise DocumentError("the service does not send all of it")
    return bytes(content)
