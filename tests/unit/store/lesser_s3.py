"""S3 servers that lack one thing, on loopback."""

from __future__ import annotations

import contextlib
import hashlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Literal
from urllib.parse import parse_qs, urlsplit

Lack = Literal["checksums", "conditions", "none-match-kept", "match-kept", "writes", "etag", "parts"]


class LesserS3(ThreadingHTTPServer):
    """What it holds, and what it was asked."""

    def __init__(self, lack: Lack) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.lack = lack
        self.objects: dict[str, bytes] = {}
        self.asked: list[str] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    """As much of S3 as a probe asks for."""

    protocol_version = "HTTP/1.1"
    server: LesserS3

    def log_message(self, *_: object) -> None:
        pass

    def say(self, code: int, body: bytes = b"", **headers: str) -> None:
        self.send_response(code)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def refuse(self, status: int, code: str, message: str) -> None:
        self.say(status, f"<Error><Code>{code}</Code><Message>{message}</Message></Error>".encode())

    def body(self) -> bytes:
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    @property
    def key(self) -> str:
        return urlsplit(self.path).path

    @property
    def query(self) -> dict[str, list[str]]:
        return parse_qs(urlsplit(self.path).query, keep_blank_values=True)

    def do_PUT(self) -> None:
        content = self.body()
        self.server.asked.append(f"PUT {self.key}")
        checksums = [name for name in self.headers if name.lower().startswith("x-amz-checksum")]
        none_match, match = self.headers.get("If-None-Match"), self.headers.get("If-Match")
        there = self.server.objects.get(self.key)
        lack = self.server.lack
        if lack == "writes":
            self.refuse(403, "AccessDenied", "you may not")
        elif lack == "checksums" and checksums:
            self.refuse(400, "InvalidArgument", f"Unsupported header '{checksums[0]}' received for this API call.")
        elif lack == "conditions" and (none_match or match):
            self.refuse(501, "NotImplemented", "A header you provided implies functionality that is not implemented")
        elif (none_match and there is not None and lack != "none-match-kept") or (
            match and (there is None or match != etag(there)) and lack != "match-kept"
        ):
            self.refuse(412, "PreconditionFailed", "At least one of the conditions did not hold")
        else:
            if "partNumber" not in self.query:
                self.server.objects[self.key] = content
            self.say(200, ETag=etag(content))

    def do_POST(self) -> None:
        self.body()
        if self.server.lack == "parts":
            self.refuse(501, "NotImplemented", "no uploads in parts")
            return
        self.server.objects.setdefault(self.key, b"parts")
        answer = "<InitiateMultipartUploadResult><UploadId>1</UploadId></InitiateMultipartUploadResult>"
        self.say(200, answer.encode() if "uploads" in self.query else b"<CompleteMultipartUploadResult/>")

    def do_GET(self) -> None:
        if self.key not in self.server.objects:
            self.refuse(404, "NoSuchKey", "none")
            return
        content = self.server.objects[self.key]
        self.say(200, content, **({} if self.server.lack == "etag" else {"ETag": etag(content)}))

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_DELETE(self) -> None:
        self.server.objects.pop(self.key, None)
        self.say(204)


def etag(content: bytes) -> str:
    return f'"{hashlib.md5(content, usedforsecurity=False).hexdigest()}"'


@contextlib.contextmanager
def lesser_s3(lack: Lack) -> Iterator[LesserS3]:
    """A server that lacks one thing, while the block lasts."""
    with LesserS3(lack) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
