"""The cluster itself: nodes, a registry that they and this machine reach, cards, Tekton."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import yaml
from tests.kind.programs import run

from penstock.foundation.errors import WorldError

ROOT = Path(__file__).parents[2]
CONFIG = ROOT / "kind-config.yaml"
NAME = "penstock"
REGISTRY = "penstock-registry"
REGISTRY_IMAGE = "registry:3.0.0"
REGISTRY_PORT = 5001
ON_THIS_MACHINE = f"localhost:{REGISTRY_PORT}"
IN_THE_CLUSTER = f"{REGISTRY}:5000"
GPU_LABEL = "penstock.dev/gpu=true"

PIPELINES_VERSION = "v1.15.0"
TRIGGERS_VERSION = "v0.37.0"
RELEASES = "https://infra.tekton.dev/tekton-releases"
TEKTON_NAMESPACE = "tekton-pipelines"
DEVICE_PLUGIN = Path(__file__).parent / "device-plugin.yaml"
CARD_TIMEOUT_S = 180

# As NVIDIA's nvkind does it: the node gets the toolkit, and its containerd NVIDIA's runtime, here for every pod.
# Which of them sees a card is the device plugin's word.
TOOLKIT = """
set -eu
repository=https://nvidia.github.io/libnvidia-container
keyring=/usr/share/keyrings/nvidia-container-toolkit-keyring.gpg
if ! command -v nvidia-ctk >/dev/null; then
  apt-get update -qq
  apt-get install -y -qq gpg curl >/dev/null
  curl -fsSL "$repository/gpgkey" | gpg --batch --yes --dearmor -o "$keyring"
  curl -fsSL "$repository/stable/deb/nvidia-container-toolkit.list" |
    sed "s#deb https://#deb [signed-by=$keyring] https://#g" >/etc/apt/sources.list.d/nvidia-container-toolkit.list
  apt-get update -qq
  apt-get install -y -qq nvidia-container-toolkit >/dev/null
fi
nvidia-ctk runtime configure --runtime=containerd --config-source=file --set-as-default
systemctl restart containerd
"""


def config(*, gpu: bool, file: Path = CONFIG) -> str:
    """``kind-config.yaml``, without the mounts that stand for cards where there is none."""
    content = yaml.safe_load(file.read_text(encoding="utf-8"))
    if not gpu:
        for node in content["nodes"]:
            node.pop("extraMounts", None)
    return yaml.safe_dump(content, sort_keys=False)


def kubectl(*arguments: str, stdin: str = "", timeout_s: float = 600) -> str:
    """kubectl on this cluster, whatever the current context is."""
    return run("kubectl", "--context", f"kind-{NAME}", *arguments, stdin=stdin, timeout_s=timeout_s)


def start_registry() -> None:
    """A registry on a port of this machine, kept over restarts."""
    there = run("docker", "ps", "--all", "--filter", f"name=^{REGISTRY}$", "--format", "{{.State}}").strip()
    if there == "running":
        return
    if there:
        run("docker", "start", REGISTRY)
        return
    publish = f"127.0.0.1:{REGISTRY_PORT}:5000"
    run("docker", "run", "--detach", "--restart=always", "--publish", publish, "--name", REGISTRY, REGISTRY_IMAGE)


def create(*, gpu: bool) -> None:
    """The nodes, unless they are there."""
    if NAME not in run("kind", "get", "clusters").split():
        run("kind", "create", "cluster", "--wait=5m", "--config=-", stdin=config(gpu=gpu), timeout_s=1200)


def connect_registry() -> None:
    """Let nodes and pods reach the registry by its name, and nodes also by the name that it has on this machine."""
    networks = json.loads(run("docker", "inspect", REGISTRY, "--format", "{{json .NetworkSettings.Networks}}"))
    if "kind" not in networks:
        run("docker", "network", "connect", "kind", REGISTRY)
    for node in run("kind", "get", "nodes", "--name", NAME).split():
        for name in (ON_THIS_MACHINE, IN_THE_CLUSTER):
            folder = f"/etc/containerd/certs.d/{name}"
            run("docker", "exec", node, "mkdir", "-p", folder)
            hosts = f'[host."http://{IN_THE_CLUSTER}"]\n'
            run("docker", "exec", "--interactive", node, "tee", f"{folder}/hosts.toml", stdin=hosts)


def give_cards() -> None:
    """NVIDIA's runtime on the node that has the cards, and the device plugin that counts them."""
    for node in _gpu_nodes():
        run("docker", "exec", "--interactive", node["metadata"]["name"], "bash", "-s", stdin=TOOLKIT, timeout_s=900)
    kubectl("apply", "--filename", str(DEVICE_PLUGIN))
    deadline = time.monotonic() + CARD_TIMEOUT_S
    while not any("nvidia.com/gpu" in node["status"]["allocatable"] for node in _gpu_nodes()):
        if time.monotonic() > deadline:
            log = "kubectl --namespace kube-system logs daemonset/nvidia-device-plugin"
            raise WorldError(
                f"no node offers nvidia.com/gpu after {CARD_TIMEOUT_S} s", where="device plugin", todo=f"See {log}."
            )
        time.sleep(2)


def pretend_a_card() -> None:
    """One ``nvidia.com/gpu`` where there is none: runs are scheduled and queue as for a card, and find no CUDA."""
    change = [{"op": "add", "path": "/status/capacity/nvidia.com~1gpu", "value": "1"}]
    for node in _gpu_nodes():
        name = node["metadata"]["name"]
        kubectl("patch", "node", name, "--subresource=status", "--type=json", "--patch", json.dumps(change))


def _gpu_nodes() -> list[dict[str, Any]]:
    nodes: list[dict[str, Any]] = json.loads(kubectl("get", "nodes", "--selector", GPU_LABEL, "--output=json"))["items"]
    return nodes


def install_tekton() -> None:
    """Tekton Pipelines and Triggers, at the versions that Penstock is tested with."""
    pipelines = f"{RELEASES}/pipeline/previous/{PIPELINES_VERSION}/release.yaml"
    triggers = f"{RELEASES}/triggers/previous/{TRIGGERS_VERSION}"
    for manifest in (pipelines, f"{triggers}/release.yaml", f"{triggers}/interceptors.yaml"):
        # server-side: Tekton's definitions are larger than the annotation that a client-side apply writes
        kubectl("apply", "--server-side", "--force-conflicts", "--filename", manifest)
        kubectl(
            "wait", "--namespace", TEKTON_NAMESPACE, "--for=condition=Available", "--timeout=5m", "deployment", "--all"
        )
    # Tekton's own containers keep `restricted` as well, and a pod does not wait for sidecars that nobody injects
    flags = {"set-security-context": "true", "running-in-environment-with-injected-sidecars": "false"}
    patch = json.dumps({"data": flags})
    kubectl("patch", "configmap", "feature-flags", "--namespace", TEKTON_NAMESPACE, "--type=merge", "--patch", patch)


def delete() -> None:
    """The nodes and the registry, if they are there."""
    run("kind", "delete", "cluster", "--name", NAME)
    run("docker", "rm", "--force", "--volumes", REGISTRY)
