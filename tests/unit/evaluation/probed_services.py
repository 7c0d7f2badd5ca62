"""A repository of a recognition service, its release's bundle, and services that answer its cases, well or badly."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from penstock.bundle.directory import Bundle
from penstock.bundle.models import Invocation, Run, SuiteRecord
from penstock.contract.load import load_contract, load_suite
from penstock.evaluation.measure_cache import suite_digest

CONTRACT = """
version: 1
name: recognition-lite
family: recognition
call:
  preset: wanwu
  http: {argv: [python, serve.py, "{port}"]}
  timeout_s: TIMEOUT
suite: suite
policy: {rules: [{metric: label_f1, min: 0.8}]}
"""
CASES = ("cup", "book", "lamp")
ANSWER = {
    "objects": [{"label": "cup", "confidence": 0.9, "box": [1, 2, 10, 12]}],
    "description": "a cup",
    "text": "Exit",
}


def probed_repository(folder: Path, *, timeout_s: float = 30.0) -> Path:
    """Three cases with a small picture each; a call has so many seconds."""
    (folder / "suite").mkdir(parents=True)
    (folder / "penstock.yaml").write_text(CONTRACT.replace("TIMEOUT", str(timeout_s)), encoding="utf-8")
    cases = [
        {"name": name, "inputs": {"image": f"{name}.png"}, "labels": ["cup"], "slices": [name] if name == "cup" else []}
        for name in CASES
    ]
    suite = {"version": 1, "family": "recognition", "cases": cases}
    (folder / "suite" / "suite.yaml").write_text(json.dumps(suite), encoding="utf-8")
    for shade, name in enumerate(CASES):
        cv2.imwrite(str(folder / "suite" / f"{name}.png"), np.full((16, 16, 3), 40 * shade, np.uint8))
    return folder


def recorded_bundle(
    folder: Path, repository: Path, *, model: str = "recognition-lite", digest: str = "", run_id: str = "r1"
) -> Path:
    """What the release answered: to all cases but the last, which failed."""
    contract = load_contract(repository)
    digest = digest or suite_digest(repository, contract, load_suite(repository, contract))
    bundle = Bundle(folder)
    calls = []
    for name in CASES[:-1]:
        (bundle.outputs / name).mkdir(parents=True)
        (bundle.outputs / name / "output.json").write_text(json.dumps(ANSWER), encoding="utf-8")
        calls.append(Invocation(case=name, status="ok", output=f"outputs/{name}/output.json"))
    calls.append(Invocation(case=CASES[-1], status="failed", error="it crashed"))
    record = SuiteRecord(digest=digest, cases=len(CASES))
    bundle.update_run(Run(penstock="0", run_id=run_id, model=model, family="recognition", suite=record))
    bundle.write_invocations(calls)
    bundle.seal()
    return folder


@dataclass
class ProbedService:
    """How it behaves; and what it was asked."""

    url: str = ""
    answer: Any = field(default_factory=lambda: ANSWER)
    fails_each: int = 0
    """Every so many requests one fails."""
    wait_s: float = 0.0
    moved_to: str = ""
    bytes_sent: int = 0
    """So many are answered in place of the answer."""
    cookie: str = ""
    """It sets this one."""
    probes: list[str] = field(default_factory=list)
    """The header of each request."""
    cookies: list[str] = field(default_factory=list)
    """Likewise."""
    released: threading.Event = field(default_factory=threading.Event)


@contextlib.contextmanager
def probed_service(**how: Any) -> Iterator[ProbedService]:
    """Started on a free port of the loopback, ended with the block."""
    service = ProbedService(**how)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            service.probes.append(self.headers.get("X-Penstock-Probe", ""))
            service.cookies.append(self.headers.get("Cookie", ""))
            service.released.wait(service.wait_s)
            with contextlib.suppress(OSError):
                self.reply()

        def reply(self) -> None:
            failing = service.fails_each and len(service.probes) % service.fails_each == 0
            content = json.dumps(service.answer).encode()
            self.send_response(302 if service.moved_to else 500 if failing else 200)
            if service.moved_to:
                self.send_header("Location", service.moved_to)
            if service.cookie:
                self.send_header("Set-Cookie", service.cookie)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(service.bytes_sent or len(content)))
            self.end_headers()
            for _ in range(service.bytes_sent >> 20):
                self.wfile.write(bytes(1 << 20))
            if not service.bytes_sent:
                self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    service.url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    try:
        yield service
    finally:
        service.released.set()
        server.shutdown()
        server.server_close()
