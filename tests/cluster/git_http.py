"""A git server over HTTP: ``git http-backend`` behind a small web server, and Git LFS downloads. Read only.

Example: ``python tests/cluster/git_http.py --root /srv/git --address 127.0.0.1 --port 8080``

Serves every bare repository below ``--root``, for ``git clone http://127.0.0.1:8080/NAME.git``. It runs by its path, on
the standard library alone. Content of Git LFS comes from ``NAME.git/lfs/objects``, where ``git lfs`` itself keeps it.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, BinaryIO

REPOSITORY = re.compile(
    r"/(?P<repository>(?:[A-Za-z0-9_][A-Za-z0-9._-]*/)*[A-Za-z0-9_][A-Za-z0-9._-]*\.git)(?P<rest>/.*)"
)
LFS_BATCH = "/info/lfs/objects/batch"
LFS_OBJECT = re.compile(r"/info/lfs/objects/(?P<oid>[0-9a-f]{64})")
LFS_TYPE = "application/vnd.git-lfs+json"
OID = re.compile(r"[0-9a-f]{64}")
MAX_BODY_BYTES = 64 << 20
IDLE_S = 300
"""A client that says nothing for so long is hung up on."""


class BadRequest(Exception):
    """A request that cannot be understood."""


def read_body(headers: Any, stream: BinaryIO, out: BinaryIO) -> None:
    """Copy a request's body to ``out``: ``Content-Length`` bytes, or all chunks. Raises BadRequest."""
    if "chunked" in headers.get("Transfer-Encoding", "").lower():
        _read_chunks(stream, out)
        return
    text = headers.get("Content-Length", "0")
    if not text.isdigit() or int(text) > MAX_BODY_BYTES:
        raise BadRequest("a body of this length is not taken")
    _copy(stream, out, int(text))


def _read_chunks(stream: BinaryIO, out: BinaryIO) -> None:
    total = 0
    while True:
        size_line = stream.readline(1024).split(b";")[0].strip()
        try:
            size = int(size_line, 16)
        except ValueError:
            raise BadRequest("a chunk has no size") from None
        total += size
        if size < 0 or total > MAX_BODY_BYTES:
            raise BadRequest("a body of this length is not taken")
        _copy(stream, out, size)
        if size == 0:
            while stream.readline(8192).strip():  # trailers, then an empty line
                pass
            return
        if stream.readline(3).strip():
            raise BadRequest("a chunk is longer than it says")


def _copy(stream: BinaryIO, out: BinaryIO, count: int) -> None:
    while count:
        piece = stream.read(min(count, 1 << 16))
        if not piece:
            raise BadRequest("the body ends too early")
        out.write(piece)
        count -= len(piece)


def lfs_batch(repository: Path, url: str, request: Any) -> tuple[HTTPStatus, dict[str, Any]]:
    """Answer one request of Git LFS's batch API: where each object can be downloaded from.

    Args:
        repository: the bare repository.
        url: its URL, as the client knows it.
        request: the decoded JSON.
    """
    if not isinstance(request, dict) or not isinstance(request.get("objects"), list):
        return HTTPStatus.UNPROCESSABLE_ENTITY, {"message": "this is not a batch request"}
    if request.get("operation") != "download":
        return HTTPStatus.FORBIDDEN, {"message": "this server is read only"}
    objects = []
    for item in request["objects"]:
        oid = str(item.get("oid", "")) if isinstance(item, dict) else ""
        if not OID.fullmatch(oid):
            return HTTPStatus.UNPROCESSABLE_ENTITY, {"message": "an object has no valid oid"}
        path = lfs_path(repository, oid)
        if path.is_file():
            actions = {"download": {"href": f"{url}/info/lfs/objects/{oid}"}}
            objects.append({"oid": oid, "size": path.stat().st_size, "authenticated": True, "actions": actions})
        else:
            error = {"code": 404, "message": "the object is not on this server"}
            objects.append({"oid": oid, "size": item.get("size", 0), "error": error})
    return HTTPStatus.OK, {"transfer": "basic", "objects": objects, "hash_algo": "sha256"}


def lfs_path(repository: Path, oid: str) -> Path:
    """Where ``git lfs`` keeps an object in a bare repository."""
    return repository / "lfs" / "objects" / oid[:2] / oid[2:4] / oid


class Server(ThreadingHTTPServer):
    """The web server for the repositories below ``root``; no clone waits for another, no stop for a clone."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, address: tuple[str, int], root: Path) -> None:
        super().__init__(address, Handler)
        self.root = root.absolute()


class Handler(BaseHTTPRequestHandler):
    """Answers for the repositories below the server's root."""

    server: Server
    protocol_version = "HTTP/1.1"  # clients send chunked bodies and wait for "100 Continue" only then
    timeout = IDLE_S

    def do_GET(self) -> None:
        self._serve(self._get)

    def do_HEAD(self) -> None:
        self._serve(self._get)

    def do_POST(self) -> None:
        self._serve(self._post)

    def _serve(self, answer: Callable[[Path, str, BinaryIO], None]) -> None:
        path, _, _ = self.path.partition("?")
        match = REPOSITORY.fullmatch(path)
        root = self.server.root
        repository = root / match["repository"] if match else root
        self.close_connection = True
        if match is None or not (repository / "HEAD").is_file():
            self.send_error(HTTPStatus.NOT_FOUND, "there is no such repository")
            return
        with tempfile.TemporaryFile() as body:  # a real file: the backend reads it through its descriptor
            try:
                read_body(self.headers, self.rfile, body)
            except BadRequest as error:
                self.send_error(HTTPStatus.BAD_REQUEST, str(error))
                return
            body.flush()
            body.seek(0)
            try:
                answer(repository, match["rest"], body)
            except (BrokenPipeError, ConnectionResetError):
                self.log_message("%s", "the client hung up")

    def _get(self, repository: Path, rest: str, body: BinaryIO) -> None:
        match = LFS_OBJECT.fullmatch(rest)
        if match is None:
            self._backend(body)
            return
        path = lfs_path(repository, match["oid"])
        if not path.is_file():
            self._json(HTTPStatus.NOT_FOUND, {"message": "the object is not on this server"})
            return
        with path.open("rb") as file:
            self.send_response(HTTPStatus.OK)
            self.send_header("Content-Type", "application/octet-stream")
            self.send_header("Content-Length", str(os.fstat(file.fileno()).st_size))
            self.end_headers()
            if self.command != "HEAD":
                shutil.copyfileobj(file, self.wfile)

    def _post(self, repository: Path, rest: str, body: BinaryIO) -> None:
        if rest != LFS_BATCH:
            self._backend(body)
            return
        url = f"http://{self.headers.get('Host', '')}{self.path.removesuffix(LFS_BATCH)}"
        try:
            request = json.load(body)
        except ValueError:
            request = None
        self._json(*lfs_batch(repository, url, request))

    def _json(self, status: HTTPStatus, content: dict[str, Any]) -> None:
        data = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", LFS_TYPE)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def _backend(self, body: BinaryIO) -> None:
        """Let ``git http-backend`` answer; its answer goes on as it comes, and the connection's end is its end."""
        command = ["git", "http-backend"]
        backend = subprocess.Popen(command, env=self._environment(), stdin=body, stdout=subprocess.PIPE)
        assert backend.stdout is not None
        try:
            self._begin(backend.stdout)
            shutil.copyfileobj(backend.stdout, self.wfile)
        finally:
            backend.stdout.close()  # the backend ends of this if the client hung up
            backend.wait()

    def _begin(self, stdout: Any) -> None:
        """Turn the CGI header into the answer's."""
        headers: list[tuple[str, str]] = []
        status = HTTPStatus.OK
        while line := stdout.readline().decode("latin-1").strip():
            name, _, value = line.partition(": ")
            if name == "Status":
                status = HTTPStatus(int(value.split()[0]))
            else:
                headers.append((name, value))
        if not headers and status == HTTPStatus.OK:
            status = HTTPStatus.INTERNAL_SERVER_ERROR  # it died; what it said is in our log
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Connection", "close")
        self.end_headers()

    def _environment(self) -> dict[str, str]:
        path, _, query = self.path.partition("?")
        settings = {"safe.directory": "*", "http.receivepack": "false"}
        environment = {
            "PATH": os.environ.get("PATH", os.defpath),
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_PROJECT_ROOT": str(self.server.root),
            "GIT_HTTP_EXPORT_ALL": "1",
            "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "REQUEST_METHOD": self.command,
            "REMOTE_ADDR": str(self.client_address[0]),
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
            "GIT_CONFIG_COUNT": str(len(settings)),
        }
        for number, (key, value) in enumerate(settings.items()):
            environment |= {f"GIT_CONFIG_KEY_{number}": key, f"GIT_CONFIG_VALUE_{number}": value}
        return environment


def main(argv: list[str] | None = None) -> int:
    """Serve until terminated; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--root", type=Path, required=True, help="the directory with the bare repositories")
    parser.add_argument("--address", required=True, help="the address to listen on")
    parser.add_argument("--port", type=int, required=True, help="the port to listen on")
    arguments = parser.parse_args(argv)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        server = Server((arguments.address, arguments.port), arguments.root)
    except OSError as error:
        print(f"error: cannot listen on {arguments.address}:{arguments.port}: {error.strerror}", file=sys.stderr)  # noqa: T201
        return 4
    with server:
        server.serve_forever()
    return 0


if __name__ == "__main__":
    sys.exit(main())
