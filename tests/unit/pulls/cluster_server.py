"""An API server on this machine, as far as PipelineRuns of one namespace go."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.unit.stub_server import StubAnswer, StubRequest, json_answer, stub_server

from penstock.pulls.desk_runs import DeskRuns

Json = dict[str, Any]
PATH = "/apis/tekton.dev/v1/namespaces/studio/pipelineruns"


@dataclass
class ClusterServer:
    """What there is. Each change counts the clock on by a second."""

    url: str = ""
    runs: dict[str, Json] = field(default_factory=dict)
    refuse: list[int] = field(default_factory=list)
    """Statuses that the next requests get."""
    seconds: int = 0
    still: bool = False
    """Whether the clock stands: all that happens is in one second."""
    version: int = 0
    requests: list[str] = field(default_factory=list)
    lock: threading.RLock = field(default_factory=threading.RLock)

    def stamp(self) -> str:
        return f"2026-11-27T12:{self.seconds // 60:02d}:{self.seconds % 60:02d}Z"

    def end(self, name: str, *, status: str = "True", reason: str = "Succeeded", notified: bool = True) -> None:
        """Tekton's controller: a run has ended."""
        results = [{"name": "summary", "value": "pass"}, {"name": "told", "value": "success" if notified else ""}]
        condition = {"type": "Succeeded", "status": status, "reason": reason, "message": "no space left"}
        self.runs[name]["status"] = {"conditions": [condition], "results": results}
        self.touch(name)

    def touch(self, name: str) -> None:
        self.version += 1
        self.runs[name]["metadata"]["resourceVersion"] = str(self.version)

    def answer(self, method: str, path: str, body: Json) -> tuple[int, Json]:
        parts = urlsplit(path)
        if self.refuse:
            return status_of(self.refuse.pop(0), "refused")
        name = parts.path.removeprefix(PATH).strip("/")
        if not name:
            return self.create(body) if method == "POST" else (200, self.listed(parse_qs(parts.query)))
        run = self.runs.get(name)
        if run is None:
            return status_of(404, f'pipelineruns "{name}" not found')
        if method == "DELETE":
            if body["preconditions"]["resourceVersion"] != run["metadata"]["resourceVersion"]:
                return status_of(409, "the object has been modified")
            del self.runs[name]
            return 200, {"status": "Success"}
        seen = body.get("metadata", {}).get("resourceVersion")
        if seen not in (None, run["metadata"]["resourceVersion"]):
            return status_of(409, "the object has been modified")
        merge(run, body)
        self.touch(name)
        return 200, run

    def create(self, run: Json) -> tuple[int, Json]:
        name = run["metadata"]["name"]
        if name in self.runs:
            return status_of(409, f'pipelineruns "{name}" already exists')
        self.seconds += not self.still
        self.runs[name] = run
        run["metadata"]["creationTimestamp"] = self.stamp()
        self.touch(name)
        return 201, run

    def listed(self, query: dict[str, list[str]]) -> Json:
        wanted = [selects(text) for text in query["labelSelector"][0].split(",")]
        found = [run for run in self.runs.values() if all(test(run["metadata"]["labels"]) for test in wanted)]
        first, limit = int(query.get("continue", ["0"])[0]), int(query["limit"][0])
        following = str(first + limit) if first + limit < len(found) else ""
        return {"items": found[first : first + limit], "metadata": {"continue": following}}

    def only(self) -> Json:
        (run,) = self.runs.values()
        return run

    def asked(self) -> dict[str, str | None]:
        """Name → ``spec.status``."""
        return {name: run["spec"].get("status") for name, run in self.runs.items()}


def selects(text: str) -> Any:
    if "!=" in text:
        key, _, value = text.partition("!=")
        return lambda labels: labels.get(key) != value
    key, _, value = text.partition("=")
    return lambda labels: labels.get(key) == value


def merge(into: Json, change: Json) -> None:
    """RFC 7386."""
    for key, value in change.items():
        if value is None:
            into.pop(key, None)
        elif isinstance(value, dict) and isinstance(into.get(key), dict):
            merge(into[key], value)
        else:
            into[key] = value


def status_of(code: int, message: str) -> tuple[int, Json]:
    return code, {"kind": "Status", "status": "Failure", "code": code, "message": message}


@contextmanager
def cluster_server() -> Iterator[ClusterServer]:
    there = ClusterServer()

    def answer(request: StubRequest) -> StubAnswer:
        with there.lock:
            there.requests.append(f"{request.method} {request.path}")
            code, said = there.answer(request.method, request.path, request.json() or {})
            return json_answer(said, code)

    with stub_server(answer) as there.url:
        yield there


def desk_runs(server: ClusterServer) -> DeskRuns:
    from kubernetes import client

    from penstock.targets.workload_api import careful_retries

    configuration = client.Configuration(host=server.url)
    configuration.retries = careful_retries()
    return DeskRuns(client.CustomObjectsApi(client.ApiClient(configuration)), "studio")
