"""A receiver of webhooks: a real server, which can be told to misbehave."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.unit.stub_server import StubAnswer, StubRequest, stub_server

SECRET = b"0123456789abcdef-shared"


@dataclass
class Receiver:
    """What it serves, and how it behaves."""

    url: str = ""
    revision: str = "r0"
    image: str = ""
    weights: list[str] = field(default_factory=list)
    secret: bytes = SECRET
    requests: list[dict[str, Any]] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    deploying: int = 0
    """So many answers say that it is not done yet."""
    broken: int = 0
    """So many answers are 500."""
    fails: bool = False
    lies: bool = False
    """It says that it serves, and serves what it did."""
    hangs_s: float = 0.0
    drips: bool = False
    raw: tuple[int, bytes] | None = None
    only: str = ""
    """``raw``, ``hangs_s`` and ``broken`` are for this act alone."""

    def answer(self, body: dict[str, Any]) -> tuple[int, bytes]:
        self.requests.append(body)
        if self.only in ("", body["act"]):
            if self.broken:
                self.broken -= 1
                return 500, b"oops"
            if self.raw is not None:
                return self.raw
        if body["act"] == "deploy" and self.deploying:
            self.deploying -= 1
            return 202, b'{"state": "deploying"}'
        if body["act"] == "deploy" and self.fails:
            self.revision = "half"
            return 200, json.dumps({"state": "failed", "reason": "out of\nmemory"}).encode()
        if body["act"] == "deploy" and not self.lies:
            pair = body["pair"]
            self.revision = f"r-{pair['version']}"
            self.image, self.weights = pair["image_digest"], [file["sha256"] for file in pair["weights"]]
        if body["act"] == "restore":
            self.revision = body["revision"]
        if body["act"] == "state":  # no more than docs/operations.md asks for
            return 200, json.dumps({"revision": self.revision}).encode()
        told = {"state": "serving", "revision": self.revision, "image": self.image, "weights": self.weights}
        return 200, json.dumps(told).encode()


@contextmanager
def receiver() -> Iterator[Receiver]:
    state = Receiver()

    def answer(request: StubRequest) -> StubAnswer:
        stamp = request.headers["Penstock-Timestamp"]
        signed = stamp.encode() + b"." + request.body
        wanted = "v1=" + hmac.new(state.secret, signed, hashlib.sha256).hexdigest()
        fresh = abs(time.time() - int(stamp)) < 300
        if not hmac.compare_digest(wanted, request.headers["Penstock-Signature"]) or not fresh:
            return StubAnswer(401)
        state.keys.append(request.headers["Idempotency-Key"])
        status, content = state.answer(request.json())
        if state.hangs_s:
            time.sleep(state.hangs_s)
        headers = {"Location": state.url + "/elsewhere"} if 300 <= status < 400 else {}
        return StubAnswer(status, content, headers, drip_s=0.05 if state.drips else 0.0)

    with stub_server(answer) as url:
        state.url = f"{url}/hook"
        yield state
