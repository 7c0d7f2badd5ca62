"""Tekton Chains on the cluster, for one namespace and a while; ``cluster-up`` starts none.

At its start it signs every finished run that it sees, hence the one namespace. Its finalizers hold runs when it is
away: :func:`running` takes them off before it goes.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.cluster import binaries
from tests.cluster.addon import Addon
from tests.cluster.kubectl import kubectl
from tests.cluster.settings import Settings

NAMESPACE = "tekton-chains"
CONFIGURATION = {
    "artifacts.taskrun.format": "slsa/v2alpha4",
    "artifacts.taskrun.storage": "oci",
    "artifacts.pipelinerun.storage": "",
    "artifacts.oci.storage": "oci",
    "artifacts.oci.format": "simplesigning",
    "storage.oci.repository.insecure": "true",
    "transparency.enabled": "false",
    "builder.id": "https://example.org/tekton-chains",
}
KINDS = ("taskruns.tekton.dev", "pipelineruns.tekton.dev")


@contextmanager
def running(settings: Settings, namespace: str, key: Path) -> Iterator[None]:
    """Have it sign what finishes in a namespace.

    Args:
        settings: of the cluster.
        namespace: whose runs are signed, and no others.
        key: P-256, PEM, not encrypted.

    Raises:
        WorldError: something cannot be fetched, built or started.
    """
    addon = Addon(
        module=binaries.CHAINS,
        source="github.com/tektoncd/chains",
        program="chains/controller",
        namespace=NAMESPACE,
        deployment="tekton-chains-controller",
        arguments=(f"--namespace={namespace}",),
    )
    objects = [_with(one, key) for one in addon.objects(settings)]
    addon.remove(settings, objects)
    try:
        addon.apply(settings, objects)
        yield
    finally:
        addon.remove(settings, objects)
        _let_go(settings, namespace)


def _with(found: dict[str, Any], key: Path) -> dict[str, Any]:
    """The key, and what it is to do."""
    name = (found["kind"], found["metadata"]["name"])
    if name == ("Secret", "signing-secrets"):
        found["stringData"] = {"x509.pem": key.read_text(encoding="utf-8")}
    if name == ("ConfigMap", "chains-config"):
        found["data"] = CONFIGURATION
    return found


def _let_go(settings: Settings, namespace: str) -> None:
    for kind in KINDS:
        names = kubectl(
            settings, "get", kind, f"--namespace={namespace}", "--output=jsonpath={.items[*].metadata.name}"
        )
        for name in names.split():
            words = ("--type=merge", '--patch={"metadata": {"finalizers": []}}')
            kubectl(settings, "patch", kind, name, f"--namespace={namespace}", *words)
