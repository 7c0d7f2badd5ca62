"""An API server over real HTTP: one Deployment with what its controller would make of it, as the API documents it."""

from __future__ import annotations

import copy
import hashlib
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import parse_qs, urlsplit

import yaml
from tests.unit.stub_server import StubAnswer, StubRequest, json_answer, stub_server

from penstock.targets.deployment import DeploymentTarget
from penstock.targets.targets_file import DeploymentSettings

Json = dict[str, Any]
TOKEN = "the-token-of-this-account"
BASE = "/apis/apps/v1/namespaces/studio"
OLD_IMAGE = f"registry.example.org/sonic@sha256:{'0' * 64}"


def template(**of_container: Any) -> Json:
    """A pod template as the API server keeps it."""
    probe = {"httpGet": {"path": "/ready", "port": 8000, "scheme": "HTTP"}, "periodSeconds": 10}
    container = {"name": "model", "image": OLD_IMAGE, "readinessProbe": probe, "env": [{"name": "MODE", "value": "x"}]}
    return {
        "metadata": {"labels": {"app": "sonic"}, "annotations": {"example.org/team": "video"}},
        "spec": {
            "initContainers": [{"name": "weights", "image": "registry.example.org/fetch:1"}],
            "containers": [container | of_container, {"name": "sidecar", "image": "registry.example.org/proxy:1"}],
            "aFieldThatClientsDoNotKnow": {"kept": True},
        },
    }


def running(name: str, image: str, owner: Json, *, ready: bool = True, waiting: Json | None = None) -> Json:
    """A pod of a ReplicaSet."""
    state = {"waiting": waiting} if waiting else {"running": {"startedAt": "2026-01-01T00:00:00Z"}}
    last = {"terminated": {"exitCode": 3, "reason": "Error", "message": "no\nCUDA"}} if waiting else {}
    conditions = [{"type": "Ready", "status": str(ready), "message": "" if ready else "unready containers: [model]"}]
    return {
        "metadata": {"name": name, "ownerReferences": [reference(owner)]},
        "spec": {"containers": [{"name": "model", "image": image}]},
        "status": {
            "conditions": conditions,
            "containerStatuses": [{"name": "model", "state": state, "lastState": last}],
        },
    }


def reference(owner: Json) -> Json:
    return {"controller": True, "uid": owner["metadata"]["uid"], "name": owner["metadata"]["name"]}


class ApiServer:
    """What there is. ``fate`` of a template whose image is not the old one: how its rollout goes."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.url = folder, ""
        self.lock = threading.RLock()
        self.fate = "serves"
        self.refuse: list[int] = []
        """Statuses that the next requests get instead of an answer."""
        self.lose: list[str] = []
        """Methods of the next requests that are carried out, and not answered."""
        self.before_patch: list[Callable[[], None]] = []
        """What happens just before a change, once each."""
        self.patches: list[list[Json]] = []
        self.sets: list[Json] = []
        self.pods: list[Json] = []
        spec = {"replicas": 2, "selector": {"matchLabels": {"app": "sonic"}}, "template": template()}
        metadata = {"name": "sonic", "namespace": "studio", "uid": "d-1", "generation": 1, "resourceVersion": "100"}
        self.deployment: Json = {"metadata": metadata, "spec": spec, "status": {}}
        self.reconcile()

    @property
    def template(self) -> Json:
        found: Json = self.deployment["spec"]["template"]
        return found

    @property
    def container(self) -> Json:
        found: Json = self.template["spec"]["containers"][0]
        return found

    def edit(self, change: Callable[[Json], object]) -> None:
        """Somebody changes the spec; the controller sees it."""
        with self.lock:
            change(self.deployment["spec"])
            self.deployment["metadata"]["generation"] += 1
            self.touch()
            self.reconcile()

    def touch(self) -> None:
        """The status changes: what was read is old."""
        self.deployment["metadata"]["resourceVersion"] = str(int(self.deployment["metadata"]["resourceVersion"]) + 1)

    def reconcile(self) -> None:
        """What the controllers do."""
        digest = hashlib.sha256(json.dumps(self.template, sort_keys=True).encode()).hexdigest()[:10]
        named = copy.deepcopy(self.template)
        named["metadata"]["labels"]["pod-template-hash"] = digest
        name, wanted = f"sonic-{digest}", self.deployment["spec"]["replicas"]
        made = {
            "metadata": {"name": name, "uid": name, "ownerReferences": [reference(self.deployment)]},
            "spec": {"template": named},
        }
        stray = copy.deepcopy(made)
        stray["metadata"]["ownerReferences"] = [{"controller": True, "uid": "another"}]
        self.sets = [stray, *(one for one in self.sets[1:] if one["metadata"]["name"] != name), made]
        image = self.container["image"]
        status = {
            "observedGeneration": self.deployment["metadata"]["generation"],
            "replicas": wanted,
            "updatedReplicas": wanted,
            "availableReplicas": wanted,
            "conditions": [{"type": "Progressing", "status": "True", "reason": "NewReplicaSetAvailable"}],
        }
        fate = "serves" if image == OLD_IMAGE else self.fate
        pods = [running(f"{name}-{number}", image, made) for number in range(wanted)]
        if fate == "unseen":
            status["observedGeneration"] -= 1
        elif fate == "no set":
            self.sets = self.sets[:-1]
            said = "pods are forbidden: exceeded quota"
            status["conditions"].append({"type": "ReplicaFailure", "status": "True", "message": said})
        elif fate == "old pods left":
            status["replicas"] = wanted + 1
        elif fate == "another image":
            pods[1] = running(f"{name}-1", OLD_IMAGE, made)
        elif fate != "serves":
            del status["availableReplicas"]
            status["unavailableReplicas"] = wanted
            waiting = {"reason": fate, "message": f"because of {fate}"} if fate != "late" else None
            pods = [running(f"{name}-{number}", image, made, ready=False, waiting=waiting) for number in range(wanted)]
            if fate == "late":
                said = f'ReplicaSet "{name}" has timed out progressing.'
                status["conditions"] = [
                    {"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded", "message": said}
                ]
        self.pods, self.deployment["status"] = pods, status

    def patch(self, changes: list[Json]) -> tuple[int, Json]:
        """A JSON patch; one of ``metadata.resourceVersion`` makes it a compare-and-swap."""
        for happens in self.before_patch:
            happens()
        self.before_patch = []
        self.patches.append(changes)
        for change in changes:
            if change["path"] == "/metadata/resourceVersion":
                if change["value"] != self.deployment["metadata"]["resourceVersion"]:
                    return 409, status_of(409, "the object has been modified; please apply your changes to the latest")
            else:
                assert (change["op"], change["path"]) == ("replace", "/spec/template")
                self.edit(lambda spec: spec.update(template=copy.deepcopy(change["value"])))  # noqa: B023
        return 200, self.deployment

    def answer(self, method: str, path: str, body: bytes) -> tuple[int, Json]:
        parts = urlsplit(path)
        query = parse_qs(parts.query)
        if parts.path == f"{BASE}/deployments/sonic":
            if method == "PATCH":
                assert query["fieldManager"] == ["penstock"]
                return self.patch(json.loads(body))
            return 200, self.deployment
        assert query["labelSelector"] == ["app=sonic"]
        if parts.path == f"{BASE}/replicasets":
            return 200, {"items": self.sets}
        if parts.path == "/api/v1/namespaces/studio/pods":
            return 200, {"items": self.pods}
        return 404, status_of(404, f"{parts.path} not found")

    def target(self, **more: Any) -> DeploymentTarget:
        """A target for it."""
        self.write_kubeconfig()
        return DeploymentTarget("studio", settings(**more), self.folder)

    def write_kubeconfig(self) -> None:
        """Its kubeconfig, among the targets' secrets."""
        user = {"name": "penstock", "user": {"token": TOKEN}}
        context = {"name": "here", "context": {"cluster": "here", "user": "penstock"}}
        cluster = {"name": "here", "cluster": {"server": self.url}}
        config = {"current-context": "here", "users": [user], "contexts": [context], "clusters": [cluster]}
        self.folder.mkdir(exist_ok=True)
        (self.folder / "config").write_text(yaml.safe_dump(config))


def status_of(code: int, message: str) -> Json:
    return {"kind": "Status", "status": "Failure", "code": code, "message": message}


def settings(**more: Any) -> DeploymentSettings:
    there: Json = {
        "kind": "deployment",
        "models": ["sonic-lite"],
        "namespace": "studio",
        "name": "sonic",
        "container": "model",
        "init_container": "weights",
        "kubeconfig": "config",
        "timeout_s": 0.2,
        "poll_s": 0.01,
    }
    return DeploymentSettings.model_validate(there | more)


Server = TypeVar("Server", bound=ApiServer)


@contextmanager
def api_server(folder: Path) -> Iterator[ApiServer]:
    """One at loopback."""
    with serving(ApiServer(folder)) as there:
        yield there


@contextmanager
def serving(there: Server) -> Iterator[Server]:
    """What there is, over HTTP."""

    def answer(request: StubRequest) -> StubAnswer | None:
        with there.lock:
            if request.headers.get("Authorization") != f"Bearer {TOKEN}":
                code, said = 401, status_of(401, "Unauthorized")
            elif there.refuse:
                code = there.refuse.pop(0)
                said = status_of(code, f"refused {request.method}")
            else:
                code, said = there.answer(request.method, request.path, request.body)
            if request.method in there.lose:
                there.lose.remove(request.method)
                return None
            return json_answer(said, code, {"Location": f"{there.url}/elsewhere"} if code in (301, 307) else {})

    with stub_server(answer) as there.url:
        yield there
