"""Whether a Deployment serves its pod template: what the controller and the pods say, and not what was asked for."""

from __future__ import annotations

from dataclasses import dataclass

from penstock.targets.pod_template import Json
from penstock.targets.pods import (
    condition_of,
    digest_of,
    failure_of,
    fault_of,
    image_of,
    is_ready,
    owned_by,
    unready_of,
)
from penstock.targets.waiting import NotServingError

HASH = "pod-template-hash"
"""The label by which the controller tells the pods of one template from those of another."""


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
            return failure_of(status) or "there is no ReplicaSet of it yet"
        pods = [pod for pod in self.pods if owned_by(pod, newest) and "deletionTimestamp" not in pod["metadata"]]
        if faults := [fault for pod in pods if (fault := fault_of(pod))]:
            raise NotServingError(f"a pod cannot start: {faults[0]}", where=where)
        name = newest["metadata"]["name"]
        progress = condition_of(status, "Progressing")
        # the condition of an earlier template stays until there is news: only one that names this set counts
        if progress.get("reason") == "ProgressDeadlineExceeded" and f'"{name}"' in progress.get("message", ""):
            raise NotServingError(f"the rollout took longer than it may: {unready_of(pods)}", where=where)
        wanted = spec.get("replicas", 1)
        if not wanted:
            return "it has 0 replicas: nothing serves"
        counts = {name: status.get(name) or 0 for name in ("replicas", "updatedReplicas", "availableReplicas")}
        ready = [pod for pod in pods if is_ready(pod)]
        if any(count != wanted for count in counts.values()) or len(ready) < wanted:
            said = ", ".join(f"{name} {count}" for name, count in counts.items())
            return f"of {wanted} replicas: {said}; {failure_of(status) or unready_of(pods)}"
        template = image_of(spec["template"]["spec"], container)
        for pod in ready:
            if digest_of(template) != digest_of(image_of(pod["spec"], container)):
                return f"the pod {pod['metadata']['name']} runs another image"
        return ""

    def _newest_set(self) -> Json | None:
        """The ReplicaSet of the template as it stands: that is how the controller finds it, too."""
        for found in self.replica_sets:
            if owned_by(found, self.deployment):
                template = found["spec"]["template"]
                labels = {k: v for k, v in template["metadata"].get("labels", {}).items() if k != HASH}
                same = {**template, "metadata": {**template["metadata"], "labels": labels}}
                if same == self.deployment["spec"]["template"]:
                    return found
        return None
