"""What the pods of a run did and when: watched while it happens, so that a deleted pod is known, too."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import httpx
from tests.e2e.api import Api, Object

GPU = "nvidia.com/gpu"
RUN_LABEL = "tekton.dev/pipelineRun"
TASK_LABEL = "tekton.dev/pipelineTask"
TASKRUN_LABEL = "tekton.dev/taskRun"
FINISHED = ("Succeeded", "Failed")


@dataclass(frozen=True)
class Container:
    """One container of a pod; ``started`` and ``finished`` have a resolution of one second."""

    name: str
    init: bool
    gpu: int
    started: datetime | None
    finished: datetime | None
    exit_code: int | None
    said: str
    """Termination message, or why it waits."""


@dataclass(frozen=True)
class Pod:
    """One pod as it was last seen."""

    name: str
    uid: str
    run: str
    task: str
    task_run: str
    phase: str
    created: datetime
    scheduled: datetime | None
    containers: tuple[Container, ...]
    volumes: tuple[Object, ...]
    deleted: bool
    waited_for: frozenset[str]
    """What the scheduler said while there was no place for it."""

    @property
    def started(self) -> datetime | None:
        """When the first step's container started."""
        return min((item.started for item in self.containers if item.started and not item.init), default=None)

    @property
    def finished(self) -> datetime | None:
        """When the last container ended."""
        if self.phase not in FINISHED:
            return None
        return max((item.finished for item in self.containers if item.finished), default=None)

    @property
    def gpus(self) -> int:
        """How many cards its containers ask for in all."""
        return sum(item.gpu for item in self.containers)

    def times(self) -> dict[str, Any]:
        """For result files."""
        moments = {
            "created": self.created,
            "scheduled": self.scheduled,
            "started": self.started,
            "finished": self.finished,
        }
        return {"pod": self.name, "task": self.task} | {
            key: moment.isoformat() if moment else None for key, moment in moments.items()
        }


@dataclass
class _Seen:
    manifest: Object
    deleted: bool = False
    waited_for: set[str] = field(default_factory=set)


class Recorder:
    """Watches all pods of the namespace from a thread of its own. Use as a context manager."""

    def __init__(self, api: Api, on_change: Callable[[Pod], None] | None = None) -> None:
        self._api = api
        self._on_change = on_change
        self._pods: dict[str, _Seen] = {}
        self._changed = threading.Condition()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._follow, name="pods", daemon=True)
        self.fault: BaseException | None = None

    def __enter__(self) -> Recorder:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()

    def pods(self, run: str = "") -> list[Pod]:
        """Pods that were seen, of one run or of all, in the order of their creation."""
        assert self.fault is None, f"the pods can no longer be watched: {self.fault}"
        with self._changed:
            found = [read_pod(seen.manifest, seen.deleted, frozenset(seen.waited_for)) for seen in self._pods.values()]
        return sorted((pod for pod in found if run in ("", pod.run)), key=lambda pod: (pod.created, pod.name))

    def wait(self, condition: Callable[[list[Pod]], bool], what: str, *, timeout_s: float, run: str = "") -> list[Pod]:
        """Wait until the pods satisfy a condition; returns them. Raises AssertionError with what was waited for."""
        with self._changed:  # re-entrant: pods() takes it again
            done = self._changed.wait_for(lambda: condition(self.pods(run)), timeout_s)
        assert done, f"{what}: not within {timeout_s:.0f} s"
        return self.pods(run)

    def _follow(self) -> None:
        try:
            for kind, manifest in self._api.changes(self._api.collection("pods"), stopped=self._stop.is_set):
                if manifest:
                    self._take(kind, manifest)
        except (AssertionError, httpx.HTTPError) as error:
            if not self._stop.is_set():
                self.fault = error

    def _take(self, kind: str, manifest: Object) -> None:
        with self._changed:
            seen = self._pods.setdefault(manifest["metadata"]["uid"], _Seen(manifest))
            seen.manifest = manifest
            seen.deleted = seen.deleted or kind == "DELETED"
            seen.waited_for.update(_waits_for(manifest))
            pod = read_pod(manifest, seen.deleted, frozenset(seen.waited_for))
            self._changed.notify_all()
        if self._on_change:
            self._on_change(pod)


def _waits_for(manifest: Object) -> list[str]:
    conditions = manifest["status"].get("conditions", [])
    return [
        item.get("message", "") for item in conditions if item["type"] == "PodScheduled" and item["status"] == "False"
    ]


def read_pod(manifest: Object, deleted: bool, waited_for: frozenset[str]) -> Pod:
    """The API's pod as ours."""
    metadata, spec, status = manifest["metadata"], manifest["spec"], manifest["status"]
    labels = metadata.get("labels", {})
    containers = []
    for key, init in (("initContainers", True), ("containers", False)):
        states = {item["name"]: item for item in status.get(f"{key.removesuffix('s')}Statuses", [])}
        containers += [_container(item, states.get(item["name"], {}), init) for item in spec.get(key, [])]
    scheduled = [
        _time(item["lastTransitionTime"])
        for item in status.get("conditions", [])
        if item["type"] == "PodScheduled" and item["status"] == "True"
    ]
    return Pod(
        name=metadata["name"],
        uid=metadata["uid"],
        run=labels.get(RUN_LABEL, ""),
        task=labels.get(TASK_LABEL, ""),
        task_run=labels.get(TASKRUN_LABEL, ""),
        phase=status.get("phase", ""),
        created=_time(metadata["creationTimestamp"]),
        scheduled=scheduled[0] if scheduled else None,
        containers=tuple(containers),
        volumes=tuple(spec.get("volumes", [])),
        deleted=deleted,
        waited_for=waited_for,
    )


def _container(spec: Object, status: Object, init: bool) -> Container:
    state = status.get("state", {})
    ended, waiting = state.get("terminated", {}), state.get("waiting", {})
    running = ended or state.get("running", {})
    resources = spec.get("resources", {})
    asked = resources.get("limits", {}).get(GPU) or resources.get("requests", {}).get(GPU) or "0"
    return Container(
        name=spec["name"],
        init=init,
        gpu=int(asked),
        started=_time(running["startedAt"]) if running.get("startedAt") else None,
        finished=_time(ended["finishedAt"]) if ended.get("finishedAt") else None,
        exit_code=ended.get("exitCode"),
        said=ended.get("message", "") or " ".join(waiting.get(key, "") for key in ("reason", "message")).strip(),
    )


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)
