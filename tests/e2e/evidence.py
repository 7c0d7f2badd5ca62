"""A store's evidence over HTTP, as a site puts a web server before it; and a release in a store of its own."""

from __future__ import annotations

import mimetypes
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import unquote, urlsplit

from penstock.foundation.errors import WorldError
from penstock.releases.baseline import Baseline, baseline, current_release, move
from penstock.releases.names import repository_identity
from penstock.store.archive import run_key
from penstock.store.store import Store

MAX_FILE_BYTES = 64 << 20


@contextmanager
def evidence_served(store: Store, host: str) -> Iterator[str]:
    """Everything in a store, to be read by anybody; returns where."""

    class Handler(BaseHTTPRequestHandler):
        timeout = 30

        def do_GET(self) -> None:
            path = unquote(urlsplit(self.path).path).lstrip("/")
            try:
                content = store.read(path, MAX_FILE_BYTES)
            except WorldError:
                self.send_error(404)
                return
            self.send_response(200)
            self.send_header("Content-Type", mimetypes.guess_type(path)[0] or "application/octet-stream")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Nothing on the terminal."""

    server = ThreadingHTTPServer((host, 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://{host}:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


def current_elsewhere(released: Store, model: str, store: Store, folder: Path, *, address: str) -> Baseline:
    """Make what is released in one store the current release in another, there of another repository."""
    current = baseline(released, model)
    assert current is not None
    assert current.release is not None
    for number, entry in enumerate(released.list(f"{run_key(model, current.run_id)}/")):
        file = folder / str(number)
        store.put_file(entry.key, file, released.get_file(entry.key, file))
    release = current.release.model_copy(update={"url": address})
    value = current.model_copy(update={"release": release, "repository": repository_identity(address)})
    assert move(store, value, seen=current_release(store, model))
    return value
