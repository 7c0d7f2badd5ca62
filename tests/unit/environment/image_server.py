"""A registry on the loopback interface that skopeo reads from: what lies in it is held in memory, and may lie."""

from __future__ import annotations

import gzip
import hashlib
import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"


def digest_of(content: bytes) -> str:
    """``sha256:…``."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


class ImageServer:
    """A registry with one repository, ``models/tiny``; any other name leads to the same."""

    def __init__(self, port: int) -> None:
        self.registry = f"127.0.0.1:{port}"
        self.url = f"{self.registry}/models/tiny"
        self.manifests: dict[str, tuple[str, bytes]] = {}
        self.blobs: dict[str, bytes] = {}
        self.asked: list[str] = []

    def hold(
        self,
        *layers: bytes,
        labels: Mapping[str, str] | None = None,
        processor: str = "amd64",
        directory: str = "/model",
    ) -> str:
        """An image of these tars, the lowest first; returns its digest."""
        packed = [gzip.compress(layer, 1, mtime=0) for layer in layers]
        config = {
            "architecture": processor,
            "os": "linux",
            "config": {"Labels": dict(labels or {}), "WorkingDir": directory},
            "rootfs": {"type": "layers", "diff_ids": [digest_of(layer) for layer in layers]},
        }
        manifest = {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": self.blob(CONFIG, json.dumps(config).encode()),
            "layers": [self.blob(LAYER, layer) for layer in packed],
        }
        return self.put(MANIFEST, manifest)

    def hold_index(self, *images: tuple[str, str]) -> str:
        """An index of images: processor and digest; returns its digest."""
        entries = [
            {
                "mediaType": self.manifests[digest][0],
                "digest": digest,
                "size": len(self.manifests[digest][1]),
                "platform": {"os": "linux", "architecture": processor},
            }
            for processor, digest in images
        ]
        return self.put(INDEX, {"schemaVersion": 2, "mediaType": INDEX, "manifests": entries})

    def put(self, kind: str, manifest: Mapping[str, Any]) -> str:
        """A manifest as it is; returns its digest."""
        content = json.dumps(manifest).encode()
        self.manifests[digest_of(content)] = (kind, content)
        return digest_of(content)

    def blob(self, kind: str, content: bytes) -> dict[str, Any]:
        """A blob as it is; returns what a manifest says of it."""
        self.blobs[digest_of(content)] = content
        return {"mediaType": kind, "digest": digest_of(content), "size": len(content)}


class Uploading(BaseHTTPRequestHandler):
    """The beginning of a blob that is pushed: what comes before the PUT with its digest."""

    coming: ClassVar[list[bytes]] = []

    def do_POST(self) -> None:
        """A blob is about to come."""
        self.send_response(202)
        self.send_header("Location", self.path.rstrip("/") + "/1")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def do_PATCH(self) -> None:
        """All of a blob, whole or in pieces; its digest comes with the PUT after it."""
        self.coming.clear()
        if length := self.headers["Content-Length"]:
            self.coming.append(self.rfile.read(int(length)))
        else:
            while size := int(self.rfile.readline(), 16):
                self.coming.append(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
        self.send_response(202)
        self.send_header("Location", self.path)
        self.send_header("Content-Length", "0")
        self.end_headers()


@contextmanager
def image_server() -> Iterator[ImageServer]:
    """A running registry."""

    class Handler(Uploading):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            held.asked.append(self.path)
            _, _, rest = self.path.partition("/v2/")
            name = rest.rpartition("/")[2]
            if not rest:
                self._answer(200, "application/json", b"{}")
            elif "/manifests/" in self.path and name in held.manifests:
                kind, content = held.manifests[name]
                self._answer(200, kind, content)
            elif "/blobs/" in self.path and name in held.blobs:
                self._answer(200, "application/octet-stream", held.blobs[name])
            else:
                code = "MANIFEST_UNKNOWN" if "/manifests/" in self.path else "BLOB_UNKNOWN"
                error = {"errors": [{"code": code, "message": code.replace("_", " ").lower()}]}
                self._answer(404, "application/json", json.dumps(error).encode())

        def do_HEAD(self) -> None:
            self.do_GET()

        def do_PUT(self) -> None:
            """A manifest, for a tag or a digest; or the end of a blob."""
            content = self.rfile.read(int(self.headers["Content-Length"]))
            if "/blobs/uploads/" in self.path:
                blob = b"".join(self.coming)
                held.blobs[digest_of(blob)] = blob
                self._answer(201, "application/octet-stream", b"")
                return
            kind = self.headers["Content-Type"]
            held.manifests[self.path.rpartition("/")[2]] = held.manifests[digest_of(content)] = (kind, content)
            self._answer(201, kind, b"")

        def _answer(self, status: int, kind: str, content: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(content)))
            self.send_header("Docker-Content-Digest", digest_of(content))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        held = ImageServer(server.server_address[1])
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        try:
            yield held
        finally:
            server.shutdown()
            thread.join()
