"""Volumes for claims: directories of the node, and a tiny one that can be full. Recycled when they are released."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.cluster import process, recycler
from tests.cluster.kubectl import kubectl
from tests.cluster.settings import Settings

from penstock.foundation.errors import WorldError

NAME = "recycler"
CLASS = "penstock"
SMALL_CLASS = "penstock-small"
COUNT = 12
NOMINAL = "100Gi"
"""What a claim may ask for; nothing holds a directory to it."""
SMALL_MIB = 64
LABELS = {"app.kubernetes.io/component": "penstock-volume"}
Object = dict[str, Any]


def start(settings: Settings) -> None:
    """Make the directories, offer them as volumes, and start what recycles them."""
    for directory in [*(root(settings) / name for name in names()), small(settings)]:
        directory.mkdir(parents=True, exist_ok=True)
    mount_small(settings)
    for directory in root(settings).iterdir():
        directory.chmod(0o777)  # a pod of any user may write at once; fsGroup then makes it the pod's
    content = json.dumps({"apiVersion": "v1", "kind": "List", "items": manifests(settings)})
    kubectl(
        settings, "apply", "--server-side", "--force-conflicts", "--field-manager=penstock", "-f", "-", stdin=content
    )
    process.start(settings, part(settings))


def root(settings: Settings) -> Path:
    """Where the volumes lie."""
    return settings.state / "volumes"


def names() -> list[str]:
    """The names of the ordinary volumes."""
    return [f"volume-{number:02}" for number in range(COUNT)]


def small(settings: Settings) -> Path:
    """The directory of the volume that is soon full."""
    return root(settings) / "small"


def mount_small(settings: Settings) -> None:
    """A file system of its own, so that it ends where it says. Raises WorldError."""
    if small(settings).is_mount():
        return
    argv = ["mount", "-t", "tmpfs", "-o", f"size={SMALL_MIB}m,mode=0777", "penstock-small", str(small(settings))]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise WorldError(f"the small volume cannot be mounted: {done.stderr.strip()}", where=str(small(settings)))


def manifests(settings: Settings) -> list[Object]:
    """Storage classes and volumes."""
    volumes = [_volume(settings, name, root(settings) / name, NOMINAL, CLASS) for name in names()]
    volumes.append(_volume(settings, "volume-small", small(settings), f"{SMALL_MIB}Mi", SMALL_CLASS))
    return [_class(CLASS, default=True), _class(SMALL_CLASS, default=False), *volumes]


def part(settings: Settings) -> process.Part:
    """The process that recycles."""
    place = ["--kubeconfig", settings.kubeconfig, "--root", root(settings)]
    argv = [sys.executable, "-I", Path(recycler.__file__).resolve(), *place]
    return process.Part(name=NAME, argv=argv, ready=lambda: process.is_running(settings, NAME))


def _class(name: str, *, default: bool) -> Object:
    annotations = {"storageclass.kubernetes.io/is-default-class": "true"} if default else {}
    return {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": {"name": name, "annotations": annotations},
        "provisioner": "kubernetes.io/no-provisioner",
        "volumeBindingMode": "Immediate",  # there is one node: nothing to wait for
    }


def _volume(settings: Settings, name: str, directory: Path, size: str, storage_class: str) -> Object:
    here = {"key": "kubernetes.io/hostname", "operator": "In", "values": [settings.node]}
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": name, "labels": LABELS},
        "spec": {
            "storageClassName": storage_class,
            "capacity": {"storage": size},
            "accessModes": ["ReadWriteOnce", "ReadOnlyMany", "ReadWriteMany"],
            "persistentVolumeReclaimPolicy": "Retain",
            "local": {"path": str(directory)},
            "nodeAffinity": {"required": {"nodeSelectorTerms": [{"matchExpressions": [here]}]}},
        },
    }
