"""What pods and the conditions of their owners say of themselves."""

from __future__ import annotations

import re
from typing import Any

from penstock.foundation.errors import one_line
from penstock.targets.pod_template import Json

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
CARDS = re.compile(r"Insufficient [a-z0-9.-]+/gpu\b", re.ASCII)
"""How the scheduler says that every card is taken: ``Insufficient nvidia.com/gpu``, and likewise of other makers."""


def owned_by(owned: Json, owner: Json) -> bool:
    """Whether this is the one that controls it."""
    references = owned["metadata"].get("ownerReferences") or []
    return any(one.get("controller") and one.get("uid") == owner["metadata"]["uid"] for one in references)


def condition_of(status: Json, kind: str) -> Json:
    """A condition of a status by its type; empty if there is none."""
    found: list[Json] = [one for one in status.get("conditions") or [] if one.get("type") == kind]
    return found[0] if found else {}


def is_ready(pod: Json) -> bool:
    """Whether a pod is ready."""
    return condition_of(pod.get("status") or {}, "Ready").get("status") == "True"


def failure_of(status: Json) -> str:
    """Why pods cannot even be made: a quota, an admission policy."""
    failure = condition_of(status, "ReplicaFailure")
    return shortened(failure.get("message", "")) if failure.get("status") == "True" else ""


def fault_of(pod: Json) -> str:
    """Why a container of a pod cannot start; empty if none is known."""
    status = pod.get("status") or {}
    for kind in ("initContainerStatuses", "containerStatuses"):
        for one in status.get(kind) or []:
            waiting = (one.get("state") or {}).get("waiting") or {}
            if waiting.get("reason") not in FATAL:
                continue
            ended = (one.get("lastState") or {}).get("terminated")
            why = _ended(ended) if ended else shortened(waiting.get("message", ""))
            return f"{pod['metadata']['name']}, container '{one.get('name')}': {waiting['reason']}: {why}"
    return ""


def _ended(terminated: Json) -> str:
    said = terminated.get("message") or terminated.get("reason") or ""
    return f"it ended with {terminated.get('exitCode')}: {shortened(said)}"


def unplaced_of(pods: list[Json]) -> str:
    """Why the first pod that no node takes waits, with the word for its card if that is what is missing; or empty."""
    for pod in pods:
        placed = condition_of(pod.get("status") or {}, "PodScheduled")
        if placed.get("status") == "False" and placed.get("reason") == "Unschedulable":
            said = str(placed.get("message") or "")
            why = "no card is free for it" if CARDS.search(said) else "no node has room for it"
            return f"{pod['metadata']['name']}: {why}: {shortened(said)}"
    return ""


def unready_of(pods: list[Json]) -> str:
    """What the first pod that is not ready says of itself."""
    if unplaced := unplaced_of(pods):
        return unplaced
    for pod in pods:
        if is_ready(pod):
            continue
        status = pod.get("status") or {}
        for kind in ("PodScheduled", "Ready"):
            condition = condition_of(status, kind)
            if condition.get("status") == "False":
                said = condition.get("message") or condition.get("reason") or "not ready"
                return f"{pod['metadata']['name']}: {shortened(said)}"
        return f"{pod['metadata']['name']} has not started"
    return "pods are missing" if not pods else "the pods of before are still there, or others are not available yet"


def image_of(spec: Json, container: str) -> str:
    """The image of a container in a pod's spec; empty if there is no such container."""
    return next((str(one["image"]) for one in spec["containers"] if one["name"] == container), "")


def digest_of(image: str) -> str:
    """The digest, wherever it is pulled from: an admission policy may name a mirror. Without one: the whole name."""
    return image.rpartition("@")[2]


def shortened(said: Any) -> str:
    """What something says of itself, on one line that is not too long."""
    return one_line(str(said))[:MAX_REASON] or "nothing is said of why"
