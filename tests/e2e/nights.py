"""The CronJob's Job, started by hand as often as nights are wanted; and what docs/operations.md starts of a branch."""

from __future__ import annotations

import fcntl
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import yaml
from tests.e2e.api import Object
from tests.e2e.install import apply
from tests.e2e.pages import blocks
from tests.e2e.repositories import ROOT, Repository
from tests.e2e.run import Cluster, Run
from tests.e2e.session import RESULTS, Session

SCHEDULE = "penstock-scheduled-runs"
LOCK = RESULTS / "schedule.lock"
OF_A_BRANCH = "main-of-sonic.yaml"


@dataclass(frozen=True)
class Nights:
    """The installed CronJob, whose Job is made by hand."""

    cluster: Cluster
    id: str
    """Part of the Jobs' names."""

    @contextmanager
    def planned(self, runs: dict[str, Object]) -> Iterator[None]:
        """Let these be what is started: name → PipelineRun.

        There is one plan in the namespace: tests of another process that have one, too, wait meanwhile.
        """
        facts, namespace = self.cluster.facts, self.cluster.namespace
        data = {f"{name}.yaml": yaml.safe_dump(run) for name, run in runs.items()}
        LOCK.parent.mkdir(parents=True, exist_ok=True)
        with LOCK.open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            apply(facts, [{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": SCHEDULE}, "data": data}])
            try:
                yield
            finally:
                facts.kubectl("delete", f"configmap/{SCHEDULE}", "--namespace", namespace, "--ignore-not-found")

    def start(self, night: str) -> list[dict[str, str]]:
        """Start the Job, and wait for its end; what it said, line by line."""
        name, kubectl = f"night-{night}-{self.id}", self.cluster.facts.kubectl
        namespace = ("--namespace", self.cluster.namespace)
        kubectl("create", "job", name, "--from=cronjob/scheduled", *namespace)
        kubectl("wait", f"job/{name}", "--for=condition=Complete", "--timeout=180s", *namespace)
        lines = kubectl("logs", f"job/{name}", *namespace).splitlines()
        return [json.loads(line) for line in lines]

    def runs(self, said: list[dict[str, str]], model: str = "") -> dict[str, Run]:
        """The runs that a Job has started, by name; ``model``: whose they are."""
        return {line["what"]: Run(self.cluster, line["run"], model) for line in said if line["event"] == "started"}


def branch_at_night(session: Session, repository: Repository) -> Object:
    """The run of a branch in the page's ConfigMap, with this site's places in it."""
    (page,) = (block for block in blocks(ROOT / "docs" / "operations.md") if OF_A_BRANCH in block.text)
    run: Object = yaml.safe_load(yaml.safe_load(page.text)["data"][OF_A_BRANCH])
    params = {param["name"]: param["value"] for param in run["spec"]["params"]}
    place = {"url": repository.url, "store": session.place.store, "registry": session.place.registry}
    assert place.keys() <= params.keys(), f"{page.place}: a site finds no place for {place.keys() - params.keys()}"
    params |= place | {"allow-http": "true", "tls-verify": "false"}
    run["spec"]["params"] = [{"name": name, "value": value} for name, value in params.items()]
    return run
