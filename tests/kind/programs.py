"""Running programs, and what has to be there before anything is changed."""

from __future__ import annotations

import json
import shutil
import subprocess
import tomllib
from dataclasses import dataclass
from pathlib import Path

from penstock.foundation.errors import WorldError

RUNTIME_CONFIG = Path("/etc/nvidia-container-runtime/config.toml")
MOUNT_SETTING = "accept-nvidia-visible-devices-as-volume-mounts"
TAIL = 12


@dataclass(frozen=True)
class Missing:
    """Something that the machine lacks, and how to get it."""

    what: str
    todo: str


def run(*command: str, stdin: str = "", timeout_s: float = 600) -> str:
    """Run a program and return what it printed.

    Raises:
        WorldError: it failed; with the last lines of what it said.
    """
    try:
        done = subprocess.run(
            command, input=stdin, capture_output=True, text=True, timeout=timeout_s, check=False, errors="replace"
        )
    except FileNotFoundError:
        raise WorldError(f"there is no program '{command[0]}'", todo="Install it.") from None
    except subprocess.TimeoutExpired:
        raise WorldError(f"it took longer than {timeout_s:.0f} s", where=" ".join(command)) from None
    if done.returncode:
        said = (done.stderr.strip() or done.stdout.strip()).splitlines()[-TAIL:]
        raise WorldError("\n".join([f"it ended with {done.returncode}", *said]), where=" ".join(command[:6]))
    return done.stdout


def missing(*, gpu: bool, runtime_config: Path = RUNTIME_CONFIG) -> list[Missing]:
    """Everything that is not there, so that nobody has to come back for each of it."""
    wanted = {
        "docker": "Install Docker: https://docs.docker.com/engine/install/",
        "kind": "Install kind: https://kind.sigs.k8s.io/docs/user/quick-start/#installation",
        "kubectl": "Install kubectl: https://kubernetes.io/docs/tasks/tools/",
        "buildah": "Install buildah: https://github.com/containers/buildah/blob/main/install.md",
    }
    found = [Missing(f"the program {name} is not there", todo) for name, todo in wanted.items() if not _here(name)]
    if not _here("docker"):
        return found
    try:
        docker = json.loads(run("docker", "info", "--format", "{{json .}}", timeout_s=30))
    except WorldError as error:
        todo = "Start it (systemctl start docker), or join the group docker."
        return [*found, Missing(f"the Docker daemon does not answer: {error.what.splitlines()[-1]}", todo)]
    return found + (_missing_for_gpu(docker, runtime_config) if gpu else [])


def _missing_for_gpu(docker: dict[str, object], runtime_config: Path) -> list[Missing]:
    none = "or make the cluster without a card: make kind-up GPU=none"
    found = []
    try:
        run("nvidia-smi", "-L", timeout_s=30)
    except WorldError:
        found.append(Missing("nvidia-smi finds no card", f"Install NVIDIA's driver, {none}"))
    if not _here("nvidia-ctk"):
        guide = "https://docs.nvidia.com/datacenter/cloud-native/container-toolkit/latest/install-guide.html"
        return [*found, Missing("NVIDIA's container toolkit is not there", f"Install it ({guide}), {none}")]
    if docker.get("DefaultRuntime") != "nvidia":
        todo = (
            "nvidia-ctk runtime configure --runtime=docker --set-as-default --cdi.enabled && systemctl restart docker"
        )
        found.append(Missing("Docker's default runtime is not nvidia, so a node gets no card", todo))
    try:
        settings = tomllib.loads(runtime_config.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        settings = {}
    if settings.get(MOUNT_SETTING) is not True:
        todo = f"nvidia-ctk config --set {MOUNT_SETTING}=true --in-place && systemctl restart docker"
        found.append(Missing(f"{MOUNT_SETTING} is not set in {runtime_config}", todo))
    return found


def _here(program: str) -> bool:
    return shutil.which(program) is not None
