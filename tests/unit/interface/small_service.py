"""A small service with a document, well behaved or not, for tests."""

from __future__ import annotations

import copy
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from penstock.contract.interface import ServiceInterface
from penstock.interface.confined_trial import try_service
from penstock.interface.document import ApiDocument
from penstock.interface.trial_order import Trial

FACE = {
    "type": "object",
    "required": ["feature", "quality_score"],
    "properties": {
        "feature": {"type": "array", "items": {"type": "number"}, "minItems": 4, "maxItems": 4},
        "quality_score": {"type": "number", "minimum": 0, "maximum": 1},
    },
}
ERROR = {"type": "object", "required": ["error"], "properties": {"error": {"type": "string"}}}


def json_of(schema: Any) -> dict[str, Any]:
    return {"description": "", "content": {"application/json": {"schema": schema}}}


def api(**more: Any) -> dict[str, Any]:
    """The document of a service with two operations."""
    image = {"type": "object", "required": ["image"], "properties": {"image": {"type": "string", "format": "binary"}}}
    return {
        "openapi": "3.1.0",
        "info": {"title": "faces", "version": "1"},
        "paths": {
            "/feature": {
                "post": {
                    "requestBody": {"required": True, "content": {"multipart/form-data": {"schema": image}}},
                    "responses": {
                        "200": json_of({"$ref": "#/components/schemas/Face"}),
                        "4XX": json_of({"$ref": "#/components/schemas/Error"}),
                    },
                }
            },
            "/items/{id}": {
                "get": {
                    "parameters": [{"name": "id", "in": "path", "required": True, "schema": {"type": "integer"}}],
                    "responses": {
                        "200": json_of({"type": "object"}),
                        "4XX": json_of({"$ref": "#/components/schemas/Error"}),
                    },
                }
            },
        },
        "components": {"schemas": copy.deepcopy({"Face": FACE, "Error": ERROR})},
        **more,
    }


@dataclass
class Reply:
    status: int
    value: Any
    media_type: str = "application/json"

    @property
    def content(self) -> bytes:
        return self.value if isinstance(self.value, bytes) else json.dumps(self.value).encode()


def well_behaved(method: str, path: str, body: bytes) -> Reply:
    """What the document says, to whatever comes."""
    if path == "/healthz":
        return Reply(200, {})
    if path.startswith("/feature") and method == "POST":
        if b"a real picture" in body:
            return Reply(200, {"feature": [0.5] * 4, "quality_score": 0.9})
        return Reply(422, {"error": "no picture"})
    if path.startswith("/items/") and path.partition("?")[0][7:].lstrip("-").isdigit():
        return Reply(200, {})
    return Reply(404, {"error": "no such thing"})


Behaviour = Callable[[str, str, bytes], Reply | None]


@dataclass
class SmallService:
    document: Any = field(default_factory=api)
    behaviour: Behaviour = well_behaved
    requests: list[tuple[str, str, bytes]] = field(default_factory=list)
    port: int = 0

    def reply(self, method: str, path: str, body: bytes) -> Reply | None:
        if path == "/openapi.json":
            return self.document if isinstance(self.document, Reply) else Reply(200, self.document)
        if path != "/healthz":
            self.requests.append((method, path, body))
        return self.behaviour(method, path, body)


@contextmanager
def serving(service: SmallService) -> Iterator[SmallService]:
    """The service on the loopback; a reply of ``None`` closes the connection without an answer."""

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            reply = service.reply(self.command, self.path, body)
            self.close_connection = True
            if reply is None:
                return
            self.send_response(reply.status)
            self.send_header("Content-Type", reply.media_type)
            self.send_header("Content-Length", str(len(reply.content)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(reply.content)

        def log_message(self, *_: Any) -> None:
            pass

    for method in ("GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "TRACE"):
        setattr(Handler, f"do_{method}", Handler.answer)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    service.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield service
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def tried(service: SmallService, tmp_path: Path, **more: Any) -> Trial:
    """What comes of trying it in a process of its own, given a picture of the suite; ``more`` as for try_service."""
    picture = tmp_path / "picture.png"
    picture.write_bytes(b"a real picture")
    given = {"examples": 9, "seconds": 30.0, **more.pop("interface", {})}
    with serving(service):
        return try_service(
            ApiDocument(service.document),
            ServiceInterface(document="/openapi.json", **given),
            port=service.port,
            ready="/healthz",
            timeout_s=more.pop("timeout_s", 5.0),
            inputs=[picture],
            answers=more.pop("answers", []),
            bodies=tmp_path / "requests",
        )
