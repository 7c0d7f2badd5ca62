"""The API server of a Rollout that has a control group: its Deployment, and the TraefikService that splits requests."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.unit.targets.api_server import BASE, Json, running, status_of
from tests.unit.targets.rollouts_api import RolloutServer

from penstock.targets.argo_rollout import RolloutTarget

NAME = "sonic-control"
ROUTER = "/apis/traefik.io/v1alpha1/namespaces/studio/traefikservices/sonic"
LABELS = {"app": NAME}


class ControlServer(RolloutServer):
    """``starts``: whether its pods become ready. ``changes``: what was done to it, as people would say it."""

    starts = True
    then = ""
    """The fate of the canary from when its control group has users."""

    def __init__(self, folder: Path) -> None:
        self.changes: list[str] = []
        self.during_patch: list[str] = []
        """Parts of paths: the next change of one finds that somebody was faster."""
        self.gone = ""
        """Of its objects the one that is not there: ``Deployment`` or ``TraefikService``."""
        self.service: Json = {"metadata": {"name": NAME}, "spec": {"selector": LABELS}}
        other = {"metadata": {"labels": LABELS}, "spec": {"containers": [{"name": "model", "image": "example.org/x"}]}}
        spec = {"replicas": 0, "selector": {"matchLabels": LABELS}, "template": other}
        metadata = {"name": NAME, "generation": 1, "resourceVersion": "7"}
        self.control: Json = {"metadata": metadata, "spec": spec, "status": {"observedGeneration": 1}}
        entries = [{"name": f"sonic-{side}", "port": 8000, "weight": 0} for side in ("stable", "canary", "control")]
        self.router: Json = {
            "metadata": {"name": "sonic", "resourceVersion": "3"},
            "spec": {"weighted": {"services": entries}},
        }
        super().__init__(folder)

    def reconcile(self) -> None:
        stable_before = self.stable
        super().reconcile()
        canary = self.deployment["spec"]["strategy"]["canary"]
        canary.setdefault("trafficRouting", {"traefik": {"weightedTraefikServiceName": "sonic"}})
        if self.stable != stable_before:  # as Argo Rollouts keeps a ReplicaSet of each
            self.sets = [self.replica_set("another Rollout's", {}), self.replica_set("d-1", self.template)]

    def replica_set(self, owner: str, template: Json) -> Json:
        made = copy.deepcopy(template)
        made.setdefault("metadata", {}).setdefault("labels", {})["rollouts-pod-template-hash"] = self.stable
        return {
            "metadata": {"name": owner, "ownerReferences": [{"controller": True, "uid": owner}]},
            "spec": {"template": made},
        }

    @property
    def weight(self) -> int:
        found: int = self.router["spec"]["weighted"]["services"][2]["weight"]
        return found

    @property
    def replicas(self) -> int:
        found: int = self.control["spec"]["replicas"]
        return found

    def control_comes(self) -> None:
        """What its controller does."""
        wanted, metadata = self.replicas, self.control["metadata"]
        self.control["status"] = {"observedGeneration": metadata["generation"], "replicas": wanted}
        self.control["status"] |= {"updatedReplicas": wanted, "availableReplicas": wanted if self.starts else 0}

    def answer(self, method: str, path: str, body: bytes) -> tuple[int, Json]:
        parts = urlsplit(path)
        if parts.path == f"{BASE}/replicasets":
            assert parse_qs(parts.query)["labelSelector"] == [f"rollouts-pod-template-hash={self.stable}"]
            return 200, {"items": self.sets}
        if parts.path == "/api/v1/namespaces/studio/services":
            code, found = super().answer(method, path, body)
            return code, {"items": [*found["items"], self.service]}
        if parts.path == "/api/v1/namespaces/studio/pods" and "sonic-control" in parts.query:
            return 200, {
                "items": [running("sonic-control-1", "x", {"metadata": {"uid": "u", "name": "n"}}, ready=False)]
            }
        found = {f"{BASE}/deployments/{NAME}": self.control, ROUTER: self.router}.get(parts.path)
        if found is None:
            return super().answer(method, path, body)
        if self.gone == ("Deployment" if found is self.control else "TraefikService"):
            return 404, status_of(404, "not found")
        return self.changed(found, parts.path, body) if method == "PATCH" else (200, found)

    def changed(self, found: Json, path: str, body: bytes) -> tuple[int, Json]:
        version, *changes = json.loads(body)
        metadata = found["metadata"]
        for part in self.during_patch:
            if part in path:
                self.during_patch.remove(part)
                metadata["resourceVersion"] = str(int(metadata["resourceVersion"]) + 1)
        if version["value"] != metadata["resourceVersion"]:
            return 409, status_of(409, "the object has been modified")
        metadata["resourceVersion"] = str(int(metadata["resourceVersion"]) + 1)
        for change in changes:
            *above, last = change["path"].strip("/").split("/")
            there: Any = found
            for name in above:
                there = there[int(name)] if isinstance(there, list) else there[name]
            there[last] = copy.deepcopy(change["value"])
            if last != "template":
                self.changes.append(f"{last} {change['value']}")
        if self.then and found is self.router and self.weight:
            self.fate = self.then
            self.edit(lambda _: None)
        if found is self.control:
            metadata["generation"] += 1
            self.control_comes()
        return 200, found

    def with_control(self, **more: Any) -> RolloutTarget:
        """A target whose canary has a control group."""
        return self.rollout(control=NAME, **more)
