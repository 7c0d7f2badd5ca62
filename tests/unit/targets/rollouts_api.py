"""An API server over real HTTP with one Rollout, and what its controller would make of it, as Argo Rollouts does."""

from __future__ import annotations

import copy
import hashlib
import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.unit.targets.api_server import OLD_IMAGE, ApiServer, Json, running, status_of

from penstock.targets.argo_rollout import RolloutTarget
from penstock.targets.targets_file import RolloutSettings

OBJECTS = "/apis/argoproj.io/v1alpha1/namespaces/studio"
PLACE = f"{OBJECTS}/rollouts/sonic"
FAILED = 'Metric "watch" assessed Failed due to failed (1) > failureLimit (0)'


def rollout_settings(**more: Any) -> RolloutSettings:
    there: Json = {"kind": "rollout", "models": ["sonic-lite"], "namespace": "studio", "name": "sonic"}
    there |= {"container": "model", "init_container": "weights", "kubeconfig": "config"}
    return RolloutSettings.model_validate(there | {"timeout_s": 5.0, "canary_s": 5.0, "poll_s": 0.01} | more)


def service(name: str, of: str) -> Json:
    """One that leads to the pods of a template."""
    return {"metadata": {"name": name}, "spec": {"selector": {"app": "sonic", "rollouts-pod-template-hash": of}}}


class RolloutServer(ApiServer):
    """``fate`` of another template than the stable one: ``serves``, ``canary``, ``failed``, ``inconclusive``, …"""

    stable = ""
    metric: Json = {"name": "watch", "interval": "10ms", "count": 3, "provider": {"web": {"timeoutSeconds": 1}}}  # noqa: RUF012
    analysis_run: Json = {"spec": {"metrics": [metric]}, "status": {"metricResults": []}}  # noqa: RUF012

    def reconcile(self) -> None:
        spec = self.deployment["spec"]
        spec.setdefault("rollbackWindow", {"revisions": 3})
        steps = [{"setWeight": 5}, {"analysis": {"templates": [{"templateName": "watch"}]}}]
        services = {"stableService": "sonic-stable", "canaryService": "sonic-canary"}
        spec.setdefault("strategy", {"canary": {"steps": steps, **services}})
        newest = hashlib.sha256(json.dumps(self.template, sort_keys=True).encode()).hexdigest()[:10]
        changed = newest != self.deployment["status"].get("currentPodHash")
        kept = {} if changed else self.deployment["status"]
        going = "serves" if newest == (self.stable or newest) else self.fate
        if going == "serves":
            self.stable = newest
        self.deployment["status"] = self.status_of_fate(going, newest) | (
            {"abort": True} if kept.get("abort") and newest != self.stable else {}
        )
        owner = {"metadata": {"uid": newest, "name": newest}}
        waiting = {"reason": going, "message": "because"} if going == "ImagePullBackOff" else None
        image = OLD_IMAGE if going == "another image" else self.container["image"]
        wanted = self.deployment["spec"]["replicas"]
        self.pods = [
            running(f"{newest}-{number}", image, owner, ready=not waiting, waiting=waiting) for number in range(wanted)
        ]
        for pod in self.pods:
            pod["metadata"]["annotations"] = self.template["metadata"].get("annotations", {})

    def status_of_fate(self, going: str, newest: str) -> Json:
        wanted, generation = self.deployment["spec"]["replicas"], self.deployment["metadata"]["generation"]
        serves = going in ("serves", "another image", "a Service behind")
        if serves:
            self.stable = newest
        found: Json = {
            "observedGeneration": str(generation - (going == "unseen")),
            "currentPodHash": newest,
            "stableRS": self.stable,
            "phase": "Healthy" if serves else "Progressing",
            "updatedReplicas": wanted if serves else 1,
            "availableReplicas": wanted,
            "currentStepIndex": 2 if serves else 1,
            "canary": {} if serves else {"weights": {"canary": {"weight": 5}}},
        }
        if going == "failed":
            message = f"RolloutAborted: Rollout aborted update to revision 2: {FAILED}"
            found |= {"phase": "Degraded", "abort": True, "message": message}
        if going == "inconclusive":
            found |= {"phase": "Paused", "message": "InconclusiveAnalysisRun", "controllerPause": True}
            found["pauseConditions"] = [{"reason": "InconclusiveAnalysisRun", "startTime": "2026-01-01T00:00:00Z"}]
            found["canary"]["currentStepAnalysisRunStatus"] = {"name": "a", "status": "Inconclusive"}
        if going == "canary":
            found["canary"]["currentStepAnalysisRunStatus"] = {"name": "a", "status": "Running"}
        return found

    def answer(self, method: str, path: str, body: bytes) -> tuple[int, Json]:
        parts = urlsplit(path)
        query = parse_qs(parts.query)
        change = json.loads(body) if body else None
        if parts.path == "/api/v1/namespaces/studio/pods":
            newest = self.deployment["status"]["currentPodHash"]
            assert query["labelSelector"] == [f"app=sonic,rollouts-pod-template-hash={newest}"]
            return 200, {"items": self.pods}
        if parts.path == "/api/v1/namespaces/studio/services":
            behind = self.fate == "a Service behind"
            hashes = {"sonic-stable": "old" if behind else self.stable, "sonic-canary": self.stable, "other": "old"}
            return 200, {"items": [service(name, of) for name, of in hashes.items()]}
        if parts.path == f"{OBJECTS}/analysistemplates/watch":
            return 200, {"spec": {"metrics": [self.metric]}}
        if parts.path == f"{OBJECTS}/analysisruns/a":
            return 200, self.analysis_run
        if method == "GET" and parts.path == PLACE:
            return 200, self.deployment
        if method == "PATCH":
            assert query["fieldManager"] == ["penstock"]
            self.patches.append(change)
            if parts.path == f"{PLACE}/status":
                self.touch()
                self.merge(self.deployment["status"], change["status"])
                return 200, self.deployment
            if parts.path == PLACE and isinstance(change, dict) and "metadata" in change:
                self.touch()
                told = self.deployment["metadata"].setdefault("annotations", {})
                self.merge(told, change["metadata"]["annotations"])
                return 200, self.deployment
            if parts.path == PLACE and isinstance(change, dict):
                self.edit(lambda spec: self.merge(spec, change["spec"]))
                return 200, self.deployment
            if parts.path == PLACE:
                return self.json_patch(change)
        return 404, status_of(404, f"{parts.path} not found")

    def merge(self, there: Json, change: Json) -> None:
        """A merge patch; a status that says ``abort`` is acted on."""
        for name, value in change.items():
            if value is None:
                there.pop(name, None)
            else:
                there[name] = value
        if change.get("abort"):
            there |= {"phase": "Degraded", "message": "RolloutAborted: Rollout aborted update to revision 2"}

    def json_patch(self, changes: list[Json]) -> tuple[int, Json]:
        for happens in self.before_patch:
            happens()
        self.before_patch = []
        version, *rest = changes
        if version["value"] != self.deployment["metadata"]["resourceVersion"]:
            return 409, status_of(409, "the object has been modified")
        for change in rest:
            value = copy.deepcopy(change["value"])
            if change["path"] == "/metadata/annotations":
                self.deployment["metadata"]["annotations"] = value
            elif change["path"].startswith("/metadata/annotations/"):
                name = change["path"].removeprefix("/metadata/annotations/").replace("~1", "/")
                self.deployment["metadata"]["annotations"][name] = value
            else:
                assert change["op"] == "replace"
                field = {"/spec/template": "template", "/spec/paused": "paused"}[change["path"]]
                self.edit(lambda spec: spec.update({field: value}))  # noqa: B023
        return 200, self.deployment

    def rollout(self, **more: Any) -> RolloutTarget:
        """A target for it."""
        self.write_kubeconfig()
        return RolloutTarget("studio", rollout_settings(**more), self.folder)
