"""A hub on this machine: it answers as huggingface.co does, and its large files lie on another host."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from urllib.parse import unquote

COMMIT = "0123456789abcdef0123456789abcdef01234567"
TOKEN = "hf_readsTheModel"


@dataclass
class HubServer:
    """``hub`` is asked under 127.0.0.1; large files are at the host ``localhost`` of the same port."""

    port: int = 0
    large: dict[str, bytes] = field(default_factory=dict)
    """``org/repo/file`` → content, kept through Git LFS."""
    small: dict[str, bytes] = field(default_factory=dict)
    private: set[str] = field(default_factory=set)
    gated: set[str] = field(default_factory=set)
    renamed: dict[str, str] = field(default_factory=dict)
    commit: str = COMMIT
    """What the answers say that they are for."""
    cut: list[int] = field(default_factory=list)
    """After so many bytes the next answers of the store break off."""
    seen: list[tuple[str, str, str]] = field(default_factory=list)
    """Host, path and Authorization header of each request."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


class _Handler(BaseHTTPRequestHandler):
    hub: HubServer

    def log_message(self, *arguments: object) -> None:
        pass

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        host = self.headers["Host"].partition(":")[0]
        self.hub.seen.append((host, self.path, self.headers.get("Authorization", "")))
        if host == "localhost":
            self._store()
        else:
            self._resolve()

    def _store(self) -> None:
        data = next(
            data for data in self.hub.large.values() if hashlib.sha256(data).hexdigest() in self.path.partition("?")[0]
        )
        asked = self.headers.get("Range")
        start = int(asked.removeprefix("bytes=").split("-")[0]) if asked else 0
        self.send_response(206 if asked else 200)
        if asked:
            self.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
        self._body(data[start:], cut=self.hub.cut.pop(0) if self.hub.cut else None)

    def _resolve(self) -> None:
        owner, name, _, revision, file = unquote(self.path.partition("?")[0]).lstrip("/").split("/", 4)
        repository, token = f"{owner}/{name}", self.headers.get("Authorization") == f"Bearer {TOKEN}"
        if repository in self.hub.renamed:
            self.send_response(307)
            self.send_header("Location", f"/{self.hub.renamed[repository]}/resolve/{revision}/{file}")
            self._body(b"")
            return
        known = {*self.hub.large, *self.hub.small}
        if not any(path.startswith(f"{repository}/") for path in known) or (
            repository in self.hub.private and not token
        ):
            self._refuse(401, "RepoNotFound", "Repository not found")
        elif repository in self.hub.gated:
            self._refuse(403 if token else 401, "GatedRepo", "Access to model is restricted")
        elif revision != COMMIT:
            self._refuse(404, "RevisionNotFound", f"Invalid rev id: {revision}")
        elif f"{repository}/{file}" in self.hub.large:
            self._redirect(self.hub.large[f"{repository}/{file}"])
        elif f"{repository}/{file}" in self.hub.small:
            data = self.hub.small[f"{repository}/{file}"]
            self.send_response(200)
            self.send_header("X-Repo-Commit", self.hub.commit)
            blob = b"blob %d\0" % len(data) + data
            self.send_header("ETag", f'"{hashlib.sha1(blob, usedforsecurity=False).hexdigest()}"')
            self._body(data)
        else:
            self._refuse(404, "EntryNotFound", "Entry not found")

    def _redirect(self, data: bytes) -> None:
        digest = hashlib.sha256(data).hexdigest()
        self.send_response(302)
        self.send_header("X-Repo-Commit", self.hub.commit)
        self.send_header("X-Linked-ETag", f'"{digest}"')
        self.send_header("X-Linked-Size", str(len(data)))
        self.send_header("Location", f"http://localhost:{self.hub.port}/store/{digest}?Signature=hunter2")
        self._body(b"Found. Redirecting")

    def _refuse(self, status: int, code: str, message: str) -> None:
        self.send_response(status)
        self.send_header("X-Error-Code", code)
        self.send_header("X-Error-Message", message)
        self._body(message.encode())

    def _body(self, data: bytes, *, cut: int | None = None) -> None:
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.close_connection = True
        if self.command != "HEAD":
            self.wfile.write(data if cut is None else data[:cut])


def hub_handler(hub: HubServer) -> type[BaseHTTPRequestHandler]:
    """A handler that answers for ``hub``."""
    return type("Handler", (_Handler,), {"hub": hub})
