"""Tekton Pipelines and Triggers on the cluster: upstream's own manifests, with images of the programs built here."""

from __future__ import annotations

import json
import time
from pathlib import Path

from tests.cluster import process, tekton_images, tekton_manifests
from tests.cluster.kubectl import KubectlFailed, kubectl
from tests.cluster.settings import Settings

from penstock.foundation.errors import WorldError
from penstock.foundation.files import sha256_json

NAMESPACES = ("tekton-pipelines", "tekton-pipelines-resolvers")
READY_TIMEOUT_S = 180
INSTALLED = "penstock.local/installed"
"""Annotation of the namespace, made last: the digest of everything that was applied."""
PROBES = Path(__file__).parent / "probes"
"""One object for each webhook; the API server asks the webhook before it says whether it would take it."""


def start(settings: Settings) -> None:
    """Install Tekton and wait until its webhooks answer. Nothing changes if it is there already."""
    images = tekton_images.provide(settings)
    objects = tekton_manifests.render(tekton_manifests.provide(settings.cache), images)
    digest = sha256_json(objects)
    if _installed(settings) != digest:
        print("cluster: installing Tekton", flush=True)  # noqa: T201
        first, rest = tekton_manifests.in_order(objects)
        _apply(settings, first)
        kubectl(settings, "wait", "--for=condition=Established", "--timeout=60s", *_definitions(first))
        _apply(settings, rest)
        kubectl(settings, "annotate", "--overwrite", "namespace", NAMESPACES[0], f"{INSTALLED}={digest}")
    wait_ready(settings)


def wait_ready(settings: Settings) -> None:
    """Wait until each deployment's newest pods are ready and each webhook answers. Raises WorldError."""
    for namespace in NAMESPACES:
        try:
            kubectl(
                settings, "rollout", "status", "deployment", f"--namespace={namespace}", f"--timeout={READY_TIMEOUT_S}s"
            )
        except KubectlFailed as error:
            raise WorldError(
                f"Tekton did not come up: {error.what}\n{_why(settings, namespace)}", where=namespace
            ) from None
    # without the interceptors' certificate an EventListener ends at once, and comes back ever more slowly
    bundle = "--for=jsonpath={.spec.clientConfig.caBundle}"
    kubectl(settings, "wait", "clusterinterceptors", "--all", bundle, f"--timeout={READY_TIMEOUT_S}s")
    deadline = time.monotonic() + READY_TIMEOUT_S
    for probe in sorted(PROBES.glob("*.yaml")):
        while (refusal := _refusal(settings, probe)) is not None:
            if time.monotonic() > deadline:
                raise WorldError(f"Tekton's webhook does not answer: {refusal}", where=probe.name)
            time.sleep(process.POLL_S)


def _installed(settings: Settings) -> str:
    escaped = INSTALLED.replace(".", "\\.")
    path = f"jsonpath={{.metadata.annotations.{escaped}}}"
    return kubectl(settings, "get", "namespace", NAMESPACES[0], "--ignore-not-found", "-o", path)


def _apply(settings: Settings, objects: list[dict[str, object]]) -> None:
    content = json.dumps({"apiVersion": "v1", "kind": "List", "items": objects})
    kubectl(
        settings, "apply", "--server-side", "--force-conflicts", "--field-manager=penstock", "-f", "-", stdin=content
    )


def _definitions(objects: list[dict[str, object]]) -> list[str]:
    names = [item["metadata"]["name"] for item in objects if item["kind"] == "CustomResourceDefinition"]  # type: ignore[index]
    return [f"customresourcedefinition/{name}" for name in names]


def _refusal(settings: Settings, probe: Path) -> str | None:
    try:
        kubectl(settings, "create", "--dry-run=server", "--namespace=default", "-f", str(probe))
    except KubectlFailed as error:
        return error.what
    return None


def _why(settings: Settings, namespace: str) -> str:
    """What the namespace's pods and latest events say, for a message."""
    pods = kubectl(settings, "get", "pods", f"--namespace={namespace}", "-o", "wide")
    events = kubectl(settings, "get", "events", f"--namespace={namespace}", "--sort-by=.lastTimestamp")
    return "\n".join([*pods.splitlines(), *events.splitlines()[-15:]])
