"""One run on the cluster, from ``tkn pipeline start`` to the bundle that it left in S3."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

from tests.e2e.api import TEKTON, Api, Object
from tests.e2e.facts import Facts
from tests.e2e.pods import FINISHED, TASK_LABEL, Pod, Recorder

from penstock.bundle.directory import Bundle
from penstock.cli.run_display import ONLY_SOMETIMES
from penstock.store.archive import fetch
from penstock.store.store import Store

T = TypeVar("T")
LOOK_S = 20.0
RUN_TIMEOUT_S = 2400
"""A wait ends when what it waits for is there: on a machine that is three times slower, too."""
LOG_LINES = "200"
KEPT = timedelta(minutes=30)


@dataclass(frozen=True)
class Cluster:
    """What runs stand on: the programs, the API, the pods' recorder, the store of this session."""

    facts: Facts
    api: Api
    recorder: Recorder
    store: Store

    @property
    def namespace(self) -> str:
        """Where Penstock is installed."""
        return self.api.namespace


@dataclass(frozen=True)
class Request:
    """What is typed after ``tkn pipeline start``."""

    pipeline: str
    params: dict[str, str]
    workspaces: dict[str, str]
    """Name → what binds it, in tkn's words: ``claimName=penstock-work``, ``secret=penstock-store``."""
    pod_template: Path
    service_account: str = "penstock"
    name: str = ""
    """The run's name begins with it."""
    more: tuple[str, ...] = ()
    """Further options of tkn."""

    def command(self) -> list[str]:
        """The arguments of tkn."""
        return [
            *("pipeline", "start", self.pipeline, "--use-param-defaults", "--output", "name"),
            *(word for name, value in self.params.items() for word in ("--param", f"{name}={value}")),
            *(word for name, by in self.workspaces.items() for word in ("--workspace", f"name={name},{by}")),
            *("--pod-template", str(self.pod_template), "--serviceaccount", self.service_account),
            *(("--prefix-name", self.name) if self.name else ()),
            *self.more,
        ]


@dataclass
class Run:
    """A PipelineRun."""

    cluster: Cluster
    name: str
    model: str = ""
    manifest: Object = field(default_factory=dict)
    """As it was when it ended."""

    @classmethod
    def start(cls, cluster: Cluster, request: Request, *, model: str = "") -> Run:
        """Start it with tkn, as an engineer does."""
        said = cluster.facts.tkn("--namespace", cluster.namespace, *request.command())
        return cls(cluster, said.strip().splitlines()[-1].rpartition("/")[2], model)

    # how it goes

    def wait(self, *, timeout_s: float = RUN_TIMEOUT_S) -> Run:
        """Wait until it ended, green or red; a run that does not end is cancelled."""
        api = self.cluster.api
        try:
            self.manifest = api.wait(
                api.collection("pipelineruns", TEKTON),
                lambda found: found if condition(found)["status"] in ("True", "False") else None,
                f"the end of the run {self.name}",
                timeout_s=timeout_s,
                fieldSelector=f"metadata.name={self.name}",
            )
        except AssertionError as error:
            explained = f"{error}\n{self.explain()}"
            self.cancel()
            raise AssertionError(explained) from None
        return self

    def wait_for_task(self, task: str, *, timeout_s: float = RUN_TIMEOUT_S) -> str:
        """Wait until a pipeline task has a TaskRun; returns its name."""
        api = self.cluster.api

        def look(seconds: float) -> str:
            return api.wait(
                api.collection("taskruns", TEKTON),
                lambda found: str(found["metadata"]["name"]),
                f"{self.name}: the task {task} to start",
                timeout_s=seconds,
                labelSelector=f"tekton.dev/pipelineRun={self.name},{TASK_LABEL}={task}",
            )

        return self._while_it_runs(look, timeout_s)

    def wait_for_pod(self, task: str, phase: str = "Running", *, timeout_s: float = RUN_TIMEOUT_S) -> Pod:
        """Wait until a pod of a task is in a phase; returns the newest such pod."""

        def there(pods: list[Pod]) -> bool:
            return any(pod.task == task and pod.phase == phase and not pod.deleted for pod in pods)

        what = f"{self.name}: a pod of {task} to be {phase}"
        pods = self._while_it_runs(
            lambda seconds: self.cluster.recorder.wait(there, what, timeout_s=seconds, run=self.name), timeout_s
        )
        return [pod for pod in pods if pod.task == task and pod.phase == phase and not pod.deleted][-1]

    def _while_it_runs(self, look: Callable[[float], T], timeout_s: float) -> T:
        """Wait for something of this run, in short stretches: what has ended will not do it any more."""
        api = self.cluster.api
        deadline = time.monotonic() + timeout_s
        while True:
            found = api.get(f"{api.collection('pipelineruns', TEKTON)}/{self.name}")
            over = found is None or condition(found)["status"] in ("True", "False") or time.monotonic() > deadline
            try:
                return look(LOOK_S)
            except AssertionError as error:
                if over:
                    raise AssertionError(f"{error}\n{self.explain()}") from None

    def cancel(self) -> None:
        """Stop it at once."""
        api = self.cluster.api
        path = f"{api.collection('pipelineruns', TEKTON)}/{self.name}"
        if api.get(path) is not None:
            api.patch(path, {"spec": {"status": "Cancelled"}})

    # how it ended

    @property
    def green(self) -> bool:
        """Whether it succeeded."""
        return bool(condition(self.manifest)["status"] == "True")

    @property
    def message(self) -> str:
        """Tekton's words on how it ended."""
        ended = condition(self.manifest)
        return f"{ended.get('reason', '')}: {ended.get('message', '')}"

    @property
    def results(self) -> dict[str, Any]:
        """The results of the run."""
        return {item["name"]: item["value"] for item in self.manifest["status"].get("results", [])}

    @property
    def skipped(self) -> dict[str, str]:
        """Pipeline tasks that were skipped, and why; without those that are there for ``baseline: rerun`` only."""
        return {name: reason for name, reason in self.all_skipped.items() if name not in ONLY_SOMETIMES}

    @property
    def all_skipped(self) -> dict[str, str]:
        """Pipeline tasks that were skipped, and why."""
        return {item["name"]: item.get("reason", "") for item in self.manifest["status"].get("skippedTasks", [])}

    @property
    def seconds(self) -> float:
        """From the run's start to its end."""
        status = self.manifest["status"]
        began, ended = (datetime.fromisoformat(status[key]) for key in ("startTime", "completionTime"))
        return (ended - began).total_seconds()

    def must_be_green(self) -> Run:
        """Raise AssertionError with everything that explains a red run."""
        assert self.green, self.explain()
        return self

    def must_be_red(self) -> Run:
        """Raise AssertionError with everything that explains a green run."""
        assert not self.green, self.explain()
        return self

    # what it left

    def task_runs(self, task: str = "") -> list[Object]:
        """Its TaskRuns, of one pipeline task or of all, in the order of their creation."""
        api = self.cluster.api
        selector = f"tekton.dev/pipelineRun={self.name}" + (f",{TASK_LABEL}={task}" if task else "")
        found = api.list(api.collection("taskruns", TEKTON), labelSelector=selector)
        return sorted(found, key=lambda item: (item["metadata"]["creationTimestamp"], item["metadata"]["name"]))

    def pods(self, task: str = "") -> list[Pod]:
        """Its pods, also those that were deleted; once the run ended, the recorder has seen their end."""
        recorder = self.cluster.recorder
        if self.manifest:  # the pods' last news may come a moment after the run's
            recorder.wait(
                lambda pods: all(pod.phase in FINISHED or pod.deleted for pod in pods if pod.task),
                f"{self.name}: the end of its pods",
                timeout_s=300,
                run=self.name,
            )
        return [pod for pod in recorder.pods(self.name) if task in ("", pod.task)]

    def times(self) -> list[dict[str, Any]]:
        """When each of its pods was created, got its place, started and ended: for result files."""
        return [pod.times() for pod in self.pods() if pod.task]

    def log(self, task: str) -> str:
        """What all pods of a task have written, container by container."""
        return "\n".join(self._pod_log(pod) for pod in self.cluster.recorder.pods(self.name) if pod.task == task)

    def _pod_log(self, pod: Pod, **params: str) -> str:
        path = f"{self.cluster.api.collection('pods')}/{pod.name}/log"
        steps = [item.name for item in pod.containers if item.name.startswith("step-")]
        return "\n".join(self.cluster.api.text(path, container=name, **params).rstrip() for name in steps)

    def describe(self) -> str:
        """``tkn pr describe``, as an engineer reads it."""
        return self.cluster.facts.tkn("--namespace", self.cluster.namespace, "pr", "describe", self.name)

    def bundle(self, directory: Path) -> Bundle:
        """Fetch its evidence from S3 with Penstock's own code, every file held against the manifest."""
        fetched = fetch(self.cluster.store, self.model, self.name, directory)
        fetched.verify()
        return fetched

    def explain(self) -> str:
        """Everything that says why it ended as it did: ``tkn pr describe``, and the end of each failed pod's log."""
        parts = [f"the run {self.name} ended: {self.message if self.manifest else '(not at all)'}", self.describe()]
        for pod in self.cluster.recorder.pods(self.name):
            if pod.phase != "Succeeded":
                said = [f"{item.name}: {item.said}" for item in pod.containers if item.said and item.exit_code != 0]
                waited = [f"waited: {text}" for text in sorted(pod.waited_for)]
                log = "" if pod.deleted else self._pod_log(pod, tailLines=LOG_LINES)
                parts += [f"--- {pod.task}: pod {pod.name} ({pod.phase})", *waited, *said, log]
        return "\n".join(parts)


def remove_old_runs(api: Api) -> None:
    """Remove runs of earlier sessions, with their pods: those that ended long enough ago that nobody looks at them."""
    path = api.collection("pipelineruns", TEKTON)
    for found in api.list(path):
        ended = found.get("status", {}).get("completionTime")
        if ended and datetime.now(UTC) - datetime.fromisoformat(ended) > KEPT:
            api.delete(f"{path}/{found['metadata']['name']}")


def condition(manifest: Object) -> Object:
    """The condition ``Succeeded``."""
    conditions: Sequence[Object] = manifest.get("status", {}).get("conditions", [])
    return next((item for item in conditions if item["type"] == "Succeeded"), {"status": "Unknown"})
