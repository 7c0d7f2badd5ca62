"""Whether a Deployment serves its pod template: what the controller and the pods say, and not what was asked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from penstock.foundation.errors import one_line
from penstock.targets.pod_template import Json
from penstock.targets.waiting import NotServingError

HASH = "pod-template-hash"
"""The label by which the controller tells the pods of one template from those of another."""
FATAL = frozenset(
    {
        "ImagePullBackOff",
        "InvalidImageName",
        "ErrImageNeverPull",
        "CrashLoopBackOff",
        "CreateContainerConfigError",
        "CreateContainerError",
        "RunContainerError",
    }
)
"""Why a container waits that does not come by waiting: it is told at once."""
MAX_REASON = 200


@dataclass(frozen=True)
class Rollout:
    """A Deployment with what belongs to it, looked at together."""

    deployment: Json
    replica_sets: list[Json]
    """Those in its namespace that its selector finds."""
    pods: list[Json]
    """Likewise."""

    def missing(self, container: str, *, where: str) -> str:
        """What is missing until every replica serves the pod template; empty: nothing.

        Args:
            container: the one whose image is compared with the template's, by digest.
            where: the target, for the message.

        Raises:
            NotServingError: it does not come by waiting: a pod cannot start, or the controller has given up.
        """
        metadata, spec, status = (self.deployment.get(name) or {} for name in ("metadata", "spec", "status"))
        if (status.get("observedGeneration") or 0) < metadata.get("generation", 0):
            return "the change has not been seen by the controller yet"
        newest = self._newest_set()
        if newest is None:
            return _failure(status) or "there is no ReplicaSet of it yet"
        pods = [pod for pod in self.pods if _owned_by(pod, newest) and "deletionTimestamp" not in pod["metadata"]]
        if faults := [fault for pod in pods if (fault := _fault(pod))]:
            raise NotServingError(f"a pod cannot start: {faults[0]}", where=where)
        name = newest["metadata"]["name"]
        progress = _condition(status, "Progressing")
        # the condition of an earlier template stays until there is news: only one that names this set counts
        if progress.get("reason") == "ProgressDeadlineExceeded" and f'"{name}"' in progress.get("message", ""):
            raise NotServingError(f"the rollout took longer than it may: {_unready(pods)}", where=where)
        wanted = spec.get("replicas", 1)
        counts = {name: status.get(name) or 0 for name in ("replicas", "updatedReplicas", "availableReplicas")}
        ready = [pod for pod in pods if _ready(pod)]
        if any(count != wanted for count in counts.values()) or len(ready) < wanted:
            said = ", ".join(f"{name} {count}" for name, count in counts.items())
            return f"of {wanted} replicas: {said}; {_failure(status) or _unready(pods)}"
        template = _image(spec["template"]["spec"], container)
        for pod in ready:
            if _digest(template) != _digest(_image(pod["spec"], container)):
                return f"the pod {pod['metadata']['name']} runs another image"
        return ""

    def _newest_set(self) -> Json | None:
        """The ReplicaSet of the template as it stands: that is how the controller finds it, too."""
        for found in self.replica_sets:
            if _owned_by(found, self.deployment):
                template = found["spec"]["template"]
                labels = {k: v for k, v in template["metadata"].get("labels", {}).items() if k != HASH}
                same = {**template, "metadata": {**template["metadata"], "labels": labels}}
                if same == self.deployment["spec"]["template"]:
                    return found
        return None


def _owned_by(owned: Json, owner: Json) -> bool:
    references = owned["metadata"].get("ownerReferences") or []
    return any(one.get("controller") and one.get("uid") == owner["metadata"]["uid"] for one in references)


def _condition(status: Json, kind: str) -> Json:
    found: list[Json] = [one for one in status.get("conditions") or [] if one.get("type") == kind]
    return found[0] if found else {}


def _ready(pod: Json) -> bool:
    return _condition(pod.get("status") or {}, "Ready").get("status") == "True"


def _failure(status: Json) -> str:
    """Why pods cannot even be made: a quota, an admission policy."""
    failure = _condition(status, "ReplicaFailure")
    return _short(failure.get("message", "")) if failure.get("status") == "True" else ""


def _fault(pod: Json) -> str:
    """Why a container of a pod cannot start; empty if none is known."""
    status = pod.get("status") or {}
    for kind in ("initContainerStatuses", "containerStatuses"):
        for one in status.get(kind) or []:
            waiting = (one.get("state") or {}).get("waiting") or {}
            if waiting.get("reason") not in FATAL:
                continue
            ended = (one.get("lastState") or {}).get("terminated")
            why = _ended(ended) if ended else _short(waiting.get("message", ""))
            return f"{pod['metadata']['name']}, container '{one.get('name')}': {waiting['reason']}: {why}"
    return ""


def _ended(terminated: Json) -> str:
    said = terminated.get("message") or terminated.get("reason") or ""
    return f"it ended with {terminated.get('exitCode')}: {_short(said)}"


def _unready(pods: list[Json]) -> str:
    """What the first pod that is not ready says of itself."""
    for pod in pods:
        if _ready(pod):
            continue
        status = pod.get("status") or {}
        for kind in ("PodScheduled", "Ready"):
            condition = _condition(status, kind)
            if condition.get("status") == "False":
                said = condition.get("message") or condition.get("reason") or "not ready"
                return f"{pod['metadata']['name']}: {_short(said)}"
        return f"{pod['metadata']['name']} has not started"
    return "pods are missing" if not pods else "the pods of before are still there, or others are not available yet"


def _image(spec: Json, container: str) -> str:
    return next((str(one["image"]) for one in spec["containers"] if one["name"] == container), "")


def _digest(image: str) -> str:
    """The digest, wherever it is pulled from: an admission policy may name a mirror. Without one: the whole name."""
    return image.rpartition("@")[2]


def _short(said: Any) -> str:
    return one_line(str(said))[:MAX_REASON] or "nothing is said of why"
