"""Argo Rollouts, Traefik and Prometheus beside the cluster, for the tests of a canary; ``cluster-up`` starts none.

The controllers run on the node, as those of Kubernetes do here. Definitions come from the modules that the programs
are built of. Prometheus is Debian's program, unpacked and not installed: a package would start a service.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
import urllib.request
from dataclasses import dataclass
from pathlib import Path

import yaml
from tests.cluster import binaries, process
from tests.cluster.kubectl import kubectl
from tests.cluster.settings import Settings

from penstock.foundation.errors import WorldError
from penstock.foundation.files import replacing

DEFINITIONS = {
    "argo-rollouts": ("github.com/argoproj/argo-rollouts", "manifests/crds", "*-crd.yaml"),
    "traefik": (
        "github.com/traefik/traefik/v3",
        "docs/content/reference/dynamic-configuration",
        "kubernetes-crd-definition-v1.yml",
    ),
}
"""Folder below ``go/`` → module, folder in it, files in that."""
BUCKETS_S = (
    0.00063,
    0.001,
    0.0016,
    0.0025,
    0.004,
    0.0063,
    0.01,
    0.016,
    0.025,
    0.04,
    0.063,
    0.1,
    0.16,
    0.25,
    0.4,
    0.63,
    1.0,
    1.6,
    2.5,
)
"""Of Traefik's histograms. Its own (0.1, 0.3, 1.2, 5 s) tell no fast service from a slow one: docs/watch.md, "Buckets".
The cluster's service answers within 2 to 10 ms, under load within 100."""
PARTS = ("rollouts-controller", "traefik", "prometheus")


@dataclass(frozen=True)
class CanaryParts:
    """Where they are."""

    traefik: str
    """URL that the IngressRoutes of the namespace answer at."""
    prometheus: str


def start(settings: Settings, namespace: str) -> CanaryParts:
    """Build what is missing, and start what does not run. Traefik serves the IngressRoutes of one namespace.

    Raises:
        WorldError: something cannot be fetched, built or started.
    """
    binaries.build_missing(settings.cache, binaries.CANARY)
    prometheus = _provide_prometheus(settings.cache)
    for module in binaries.CANARY:
        for file in _definitions(module):
            kubectl(settings, "apply", "--server-side", "--force-conflicts", "-f", str(file))
    kubectl(settings, "wait", "--for=condition=Established", "--timeout=60s", "crd/rollouts.argoproj.io")
    kubectl(settings, "wait", "--for=condition=Established", "--timeout=60s", "crd/traefikservices.traefik.io")
    parts = [_controller(settings), _traefik(settings, namespace), _prometheus(settings, prometheus)]
    process.start_all(settings, parts)
    return CanaryParts(
        f"http://{settings.address}:{settings.canary_port}", f"http://{settings.address}:{settings.prometheus_port}"
    )


def stop(settings: Settings) -> None:
    """End them. Their definitions stay; with the cluster these go, too."""
    for name in PARTS:
        process.stop(settings, name)


def scrape(settings: Settings, services: dict[str, list[str]]) -> None:
    """Let Prometheus ask these each second for ``/metrics``: a label ``service`` → addresses with their ports."""
    said = [{"targets": addresses, "labels": {"service": name}} for name, addresses in services.items()]
    with replacing(_services(settings)) as file:
        file.write_text(json.dumps(said))


def _services(settings: Settings) -> Path:
    return settings.state / "prometheus" / "services.json"


def _controller(settings: Settings) -> process.Part:
    health, metrics = settings.canary_port + 2, settings.canary_port + 3
    return process.Part(
        name="rollouts-controller",
        argv=[
            settings.binary("rollouts-controller"),
            f"--kubeconfig={settings.kubeconfig}",
            "--leader-elect=false",
            f"--healthzPort={health}",
            f"--metricsPort={metrics}",
        ],
        ready=lambda: _answers(f"http://127.0.0.1:{health}/healthz"),
        timeout_s=120,
    )


def _traefik(settings: Settings, namespace: str) -> process.Part:
    metrics = f"127.0.0.1:{settings.canary_port + 1}"
    return process.Part(
        name="traefik",
        argv=[
            settings.binary("traefik"),
            f"--entrypoints.web.address={settings.address}:{settings.canary_port}",
            f"--entrypoints.metrics.address={metrics}",
            "--providers.kubernetescrd=true",
            f"--providers.kubernetescrd.namespaces={namespace}",
            "--providers.kubernetescrd.throttleduration=500ms",
            # else a canary without a pod takes the whole route with it: docs/operations.md, "A Rollout"
            "--providers.kubernetescrd.allowemptyservices=true",
            "--metrics.prometheus=true",
            "--metrics.prometheus.entrypoint=metrics",
            "--metrics.prometheus.addserviceslabels=true",
            f"--metrics.prometheus.buckets={','.join(map(str, BUCKETS_S))}",
            "--ping=true",
            "--ping.entrypoint=metrics",
            "--global.checknewversion=false",
            "--global.sendanonymoususage=false",
        ],
        env={"KUBECONFIG": str(settings.kubeconfig)},
        ready=lambda: _answers(f"http://{metrics}/ping"),
        timeout_s=120,
    )


def _prometheus(settings: Settings, program: Path) -> process.Part:
    """It asks Traefik each second, and what :func:`scrape` names. Its data goes with the cluster."""
    folder = settings.state / "prometheus"
    folder.mkdir(exist_ok=True)
    scrape(settings, {})
    traefik = {"job_name": "traefik", "static_configs": [{"targets": [f"127.0.0.1:{settings.canary_port + 1}"]}]}
    # Debian's has no discovery in Kubernetes
    named = [{"files": [str(_services(settings))], "refresh_interval": "1s"}]
    services = {"job_name": "services", "file_sd_configs": named}
    said = yaml.safe_dump({"global": {"scrape_interval": "1s"}, "scrape_configs": [traefik, services]})
    (folder / "prometheus.yaml").write_text(said)
    address = f"{settings.address}:{settings.prometheus_port}"
    return process.Part(
        name="prometheus",
        argv=[
            program,
            f"--config.file={folder}/prometheus.yaml",
            f"--storage.tsdb.path={folder}/data",
            f"--web.listen-address={address}",
        ],
        ready=lambda: _answers(f"http://{address}/-/ready"),
        timeout_s=120,
    )


def _answers(url: str) -> bool:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, timeout=2) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def _definitions(module: binaries.Module) -> list[Path]:
    """The files in the Go module that define its kinds."""
    name, below, files = DEFINITIONS[module.name]
    environment = {**os.environ, "GOTOOLCHAIN": "local", "GOFLAGS": "-mod=mod", "GOWORK": "off"}
    argv = ["go", "mod", "download", "-json", name]
    done = subprocess.run(argv, cwd=module.folder, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        said = (done.stderr or done.stdout).strip()[-500:]
        raise WorldError(f"the module's definitions cannot be fetched: {said}", where=name, todo="Try again.")
    return sorted((Path(json.loads(done.stdout)["Dir"]) / below).glob(files))


def _provide_prometheus(cache: Path) -> Path:
    """Debian's program, fetched once; apt verifies its signature."""
    folder = cache / "cluster" / "prometheus"
    program = folder / "usr" / "bin" / "prometheus"
    if program.is_file():
        return program
    with tempfile.TemporaryDirectory(prefix=".prometheus-", dir=folder.parent) as work:
        # root's apt gives the download to a user of its own, who may not enter a folder of mode 700
        Path(work).chmod(0o755)
        for argv in (["apt-get", "update", "--quiet=2"], ["apt-get", "download", "--quiet=2", "prometheus"]):
            done = subprocess.run(argv, cwd=work, capture_output=True, text=True, check=False)
        packages = list(Path(work).glob("prometheus_*.deb"))
        if done.returncode != 0 or not packages:
            raise WorldError(f"Debian's Prometheus cannot be fetched: {done.stderr.strip()[-500:]}", todo="Try again.")
        subprocess.run(["dpkg", "-x", str(packages[0]), f"{work}/x"], check=True)
        shutil.rmtree(folder, ignore_errors=True)
        Path(f"{work}/x").rename(folder)
    return program
