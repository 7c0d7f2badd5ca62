"""A server on this machine that answers as MLflow's REST API 2.0 does (checked against mlflow 3.17), and breaks off."""

from __future__ import annotations

import base64
import contextlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.unit.stub_server import StubAnswer, StubRequest, stub_server

Pairs = list[dict[str, str]]


@dataclass
class MlflowServer:
    """Its memory."""

    url: str = ""
    experiments: dict[str, str] = field(default_factory=dict)
    runs: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Id → experiment, status, tags, params, and metrics as a set, for what is written twice is one."""
    models: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    aliases: dict[tuple[str, str], str] = field(default_factory=dict)
    requests: list[str] = field(default_factory=list)
    token: str = ""
    fail_at: int = 0
    """The so-manieth request from now on is not done, and answered with 503; 0: none."""
    reply: tuple[int, bytes] | None = None
    packed: str = ""
    """How :attr:`reply` is compressed."""

    def wrote(self) -> list[str]:
        return [path for path in self.requests if not re.search(r"search|get|GET", path)]


class Refused(Exception):
    """With MLflow's error code."""


def _pairs(entries: Pairs) -> dict[str, str]:
    return {entry["key"]: entry["value"] for entry in entries}


def _listed(values: dict[str, str]) -> Pairs:
    return [{"key": key, "value": value} for key, value in values.items()]


def _run(number: str, run: dict[str, Any]) -> dict[str, Any]:
    return {"info": {"run_id": number, "status": run["status"]}, "data": {"tags": _listed(run["tags"])}}


def _version(entry: dict[str, Any]) -> dict[str, Any]:
    return {**entry, "tags": _listed(entry["tags"])}


def _runs(server: MlflowServer, what: str, value: Any) -> dict[str, Any]:
    if what == "search":
        key, wanted = re.fullmatch(r"tags\.`(.+)` = '(.+)'", value["filter"]).groups()  # type: ignore[union-attr]
        found = [_run(number, run) for number, run in server.runs.items() if run["tags"].get(key) == wanted]
        return {"runs": found} if found else {}
    if what == "create":
        number = f"{len(server.runs):032x}"
        fresh = {"experiment": value["experiment_id"], "status": "RUNNING", "params": {}, "metrics": set()}
        server.runs[number] = {**fresh, "tags": _pairs(value["tags"])}
        return {"run": _run(number, server.runs[number])}
    run = server.runs[value["run_id"]]
    if what == "log-batch":
        sizes = [len(value.get(name, [])) for name in ("tags", "params", "metrics")]
        if sizes[0] > 100 or sizes[1] > 100 or sum(sizes) > 1000:
            raise Refused("INVALID_PARAMETER_VALUE")
        for name, text in _pairs(value.get("params", [])).items():
            if run["params"].setdefault(name, text) != text:
                raise Refused("INVALID_PARAMETER_VALUE")
        run["tags"] |= _pairs(value.get("tags", []))
        run["metrics"] |= {(m["key"], m["value"], m["timestamp"], m["step"]) for m in value.get("metrics", [])}
    elif what == "update":
        run["status"] = value["status"]
    elif what == "set-tag":
        run["tags"][value["key"]] = value["value"]
    return {}


def _registry(server: MlflowServer, path: str, value: Any) -> dict[str, Any]:
    name = value.get("name") or re.sub(r"^name = '(.*)'$", r"\1", value.get("filter", ""))
    if path == "registered-models/create":
        if name in server.models:
            raise Refused("RESOURCE_ALREADY_EXISTS")
        server.models[name] = []
        return {"registered_model": {"name": name}}
    versions = server.models[name]
    if path == "model-versions/search":
        first = int(value.get("page_token") or 0)
        more = {"next_page_token": str(first + 2)} if first + 2 < len(versions) else {}
        return {"model_versions": [_version(entry) for entry in versions[::-1][first : first + 2]], **more}
    if path == "model-versions/create":
        if not value["source"].startswith(("s3://", "penstock:/")):
            raise Refused("INVALID_PARAMETER_VALUE")
        entry = {"version": str(len(versions) + 1), "tags": _pairs(value["tags"]), "run_id": value.get("run_id", "")}
        versions.append({**entry, "name": name, "source": value["source"]})
        return {"model_version": _version(versions[-1])}
    if path == "model-versions/set-tag":
        versions[int(value["version"]) - 1]["tags"][value["key"]] = value["value"]
        return {}
    raise Refused("ENDPOINT_NOT_FOUND")


def _act(server: MlflowServer, method: str, path: str, value: Any) -> dict[str, Any]:
    if path == "experiments/get-by-name":
        if value["experiment_name"] not in server.experiments:
            raise Refused("RESOURCE_DOES_NOT_EXIST")
        return {"experiment": {"experiment_id": server.experiments[value["experiment_name"]]}}
    if path == "experiments/create":
        return {"experiment_id": server.experiments.setdefault(value["name"], str(len(server.experiments) + 1))}
    if path.startswith("runs/"):
        return _runs(server, path.removeprefix("runs/"), value)
    if path == "registered-models/alias":
        key = value["name"], value["alias"]
        if method == "POST":
            server.aliases[key] = value["version"]
            return {}
        if key not in server.aliases:
            raise Refused("INVALID_PARAMETER_VALUE")
        return {"model_version": _version(server.models[key[0]][int(server.aliases[key]) - 1])}
    return _registry(server, path, value)


@contextlib.contextmanager
def mlflow_server() -> Iterator[MlflowServer]:
    """A server without a run."""
    server = MlflowServer()

    def answer(request: StubRequest) -> StubAnswer:
        parts = urlsplit(request.path)
        value = request.json() if request.body else {key: each[0] for key, each in parse_qs(parts.query).items()}
        path = parts.path.removeprefix("/api/2.0/mlflow/")
        server.requests.append(f"{request.method} {path}")
        server.fail_at -= 1
        basic = "Basic " + base64.b64encode(f"ann:{server.token}".encode()).decode()
        if server.token and request.headers["Authorization"] not in (f"Bearer {server.token}", basic):
            return said(401, b"You are not authenticated.")
        if server.fail_at == 0:
            return said(503, b"upstream is away")
        if server.reply is not None:
            return said(*server.reply)
        try:
            return said(200, json.dumps(_act(server, request.method, path, value)).encode())
        except Refused as refused:
            why = {"error_code": str(refused), "message": f"it says so of {path}"}
            return said(404 if "NOT_EXIST" in str(refused) else 400, json.dumps(why).encode())

    def said(status: int, content: bytes) -> StubAnswer:
        return StubAnswer(status, content, {"Content-Encoding": server.packed} if server.packed else {})

    with stub_server(answer) as server.url:
        yield server
