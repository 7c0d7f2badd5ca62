"""What runs and what does not, one line for each part."""

from __future__ import annotations

from collections.abc import Sequence

from tests.cluster import (
    containerd,
    control_plane,
    coredns,
    git_server,
    gitea,
    objects,
    process,
    registry,
    volumes,
    worker,
)
from tests.cluster.kubectl import KubectlFailed, kubectl
from tests.cluster.process import Part, Record
from tests.cluster.settings import Settings

from penstock.foundation.errors import ExitCode


def parts(settings: Settings) -> Sequence[Part]:
    """Every process of the host, in the order in which they are started."""
    return [
        registry.part(settings),
        git_server.part(settings),
        gitea.part(settings),
        objects.part(settings),
        containerd.part(settings),
        control_plane.etcd(settings),
        control_plane.api_server(settings),
        control_plane.controller_manager(settings),
        control_plane.scheduler(settings),
        worker.kubelet(settings),
        worker.proxy(settings),
        worker.router(settings),
        volumes.part(settings),
    ]


def show(settings: Settings) -> int:
    """Print the state of each part and of the pods; 0 if all is well, 4 if not."""
    if not settings.facts.exists():
        _say(f"cluster: there is none in {settings.state}, or its cluster-up did not end")
        return int(ExitCode.WORLD)
    well = True
    for part in parts(settings):
        word = _state(settings, part)
        well &= word == "ready"
        record = Record.read(process.record_path(settings, part.name))
        _say(f"{part.name:<24} {word:<10} {f'pid {record.pid}' if record and record.alive else ''}")
    for name, good in (("node", worker.node_is_ready(settings)), ("dns", coredns.resolves(settings))):
        well &= good
        _say(f"{name:<24} {'ready' if good else 'not ready'}")
    waiting = _pods_of_the_system(settings)
    _say(f"{'pods of the system':<24} {'ready' if not waiting else 'not ready: ' + ', '.join(waiting)}")
    _say(f"KUBECONFIG={settings.kubeconfig}")
    return int(ExitCode.OK if well and not waiting else ExitCode.WORLD)


def _state(settings: Settings, part: Part) -> str:
    if not process.is_running(settings, part.name):
        return "dead"
    return "ready" if part.ready() else "not ready"


def _pods_of_the_system(settings: Settings) -> list[str]:
    """Deployments of the system that are not wholly available."""
    path = r'jsonpath={range .items[*]}{.metadata.namespace}/{.metadata.name} {.status.unavailableReplicas}{"\n"}{end}'
    try:
        lines = kubectl(settings, "get", "deployments", "-A", "-o", path).splitlines()
    except KubectlFailed:
        return ["the API server does not answer"]
    system = ("kube-system/", "tekton-pipelines")
    return [line.split()[0] for line in lines if line.startswith(system) and len(line.split()) > 1]


def _say(line: str) -> None:
    print(line)  # noqa: T201
