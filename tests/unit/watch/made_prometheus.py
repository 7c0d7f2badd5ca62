"""A small server that answers ``/api/v1/query_range`` as Prometheus does, and every wrong way that a test asks for."""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

Value = Callable[[float], float | str | None]
"""Unix seconds → a counter's value; ``None``: there is no sample."""
Series = list[tuple[Mapping[str, str], Value]]


@dataclass
class MadePrometheus:
    """What it answers."""

    series: dict[str, Series]
    """By selector."""
    url: str = ""
    status: int = 200
    body: bytes | None = None
    """In place of an answer."""
    delay_s: float = 0.0
    headers: dict[str, str] = field(default_factory=dict)
    asked: list[dict[str, str]] = field(default_factory=list)

    def answer(self, query: Mapping[str, str]) -> dict[str, Any]:
        start, end, step = (float(query[name]) for name in ("start", "end", "step"))
        moments = [start + number * step for number in range(int((end - start) / step + 1e-6) + 1)]
        result = []
        for labels, value in self.series.get(query["query"], []):
            found = [(moment, value(moment)) for moment in moments]
            values = [[moment, str(number)] for moment, number in found if number is not None]
            if values:
                result.append({"metric": dict(labels), "values": values})
        return {"status": "success", "data": {"resultType": "matrix", "result": result}}


@contextlib.contextmanager
def prometheus(series: dict[str, Series]) -> Iterator[MadePrometheus]:
    """It listens on loopback."""
    made = MadePrometheus(series)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            query = {name: values[0] for name, values in parse_qs(parts.query).items()}
            made.asked.append({"path": parts.path, **query})
            time.sleep(made.delay_s)
            content = made.body if made.body is not None else json.dumps(made.answer(query)).encode()
            self.send_response_only(made.status)
            for name, value in made.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            with contextlib.suppress(OSError):
                self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (its name)
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    made.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield made
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
