"""sigstore's policy-controller on the cluster, for the tests of admission; ``cluster-up`` starts none.

It is made of upstream's manifests, with an image of our own. Its webhooks fail closed: :func:`stop` takes them away
first, and has to be called whatever happens.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import yaml
from tests.cluster import binaries, tekton_images
from tests.cluster.kubectl import KubectlFailed, kubectl
from tests.cluster.oci import Registry
from tests.cluster.settings import Settings

from penstock.foundation.errors import WorldError

NAMESPACE = "cosign-system"
"""Upstream's, which its rights name."""
MODULE = "github.com/sigstore/policy-controller"
KO = f"ko://{MODULE}/cmd/webhook"
REPOSITORY = "policy-controller/webhook"
WEBHOOKS = (
    "validatingwebhookconfiguration/policy.sigstore.dev",
    "mutatingwebhookconfiguration/policy.sigstore.dev",
    "validatingwebhookconfiguration/validating.clusterimagepolicy.sigstore.dev",
    "mutatingwebhookconfiguration/defaulting.clusterimagepolicy.sigstore.dev",
)
POLICIES = "clusterimagepolicies.v1alpha1.policy.sigstore.dev"
"""In the version that they are stored in: any other one is asked of the webhook."""
OF_THE_CLUSTER = ("ClusterRole", "ClusterRoleBinding", "CustomResourceDefinition")


@contextmanager
def running(settings: Settings) -> Iterator[None]:
    """Build what is missing, and have it run for a while; nothing of it is left.

    Raises:
        WorldError: something cannot be fetched, built or started.
    """
    binaries.build_missing(settings.cache, [binaries.ADMISSION])
    objects = list(_objects(settings))
    stop(settings, objects)
    try:
        for early in (True, False):
            some = [one for one in objects if (one["kind"] in ("Namespace", "CustomResourceDefinition")) is early]
            kubectl(settings, "apply", "--server-side", "-f", "-", stdin=yaml.safe_dump_all(some))
        kubectl(settings, "rollout", "status", f"--namespace={NAMESPACE}", "deployment/webhook", "--timeout=120s")
        yield
    finally:
        stop(settings, objects)


def stop(settings: Settings, objects: list[dict[str, Any]]) -> None:
    """Take it away, also what a killed test has left: the webhooks first, so that nothing asks what is gone."""
    kubectl(settings, "delete", "--ignore-not-found", *WEBHOOKS)
    _remove_policies(settings)
    named = [f"{one['kind']}/{one['metadata']['name']}".lower() for one in objects if one["kind"] in OF_THE_CLUSTER]
    for name in [*named, f"namespace/{NAMESPACE}"]:
        kubectl(settings, "delete", "--ignore-not-found", "--timeout=60s", name)


def _remove_policies(settings: Settings) -> None:
    """Its finalizer on them would wait for it for ever, where it is gone already."""
    if not kubectl(settings, "get", "--ignore-not-found", "--output=name", f"crd/{POLICIES.replace('.v1alpha1', '')}"):
        return
    for name in kubectl(settings, "get", POLICIES, "--output=jsonpath={.items[*].metadata.name}").split():
        kubectl(settings, "delete", POLICIES, name, "--wait=false")
        patch = ("--type=merge", '--patch={"metadata": {"finalizers": []}}')
        with suppress(KubectlFailed):  # it has gone by itself
            kubectl(settings, "patch", POLICIES, name, *patch)


def _objects(settings: Settings) -> Iterator[dict[str, Any]]:
    image = _image(settings)
    for path in sorted(_config(settings).glob("*.yaml")):
        text = path.read_text(encoding="utf-8").replace(KO, image)
        for one in yaml.load_all(text, Loader=yaml.CSafeLoader):
            if one and one["kind"] != "Kustomization":
                yield _adapted(one)


def _adapted(found: dict[str, Any]) -> dict[str, Any]:
    if found["kind"] == "Deployment":
        (container,) = found["spec"]["template"]["spec"]["containers"]
        # no keys of sigstore's public service are fetched: nothing here is signed without a key
        container |= {"args": ["--disable-tuf"], "imagePullPolicy": "IfNotPresent"}
        container["readinessProbe"] |= {"initialDelaySeconds": 0, "failureThreshold": 60, "timeoutSeconds": 10}
        container["livenessProbe"] = container["readinessProbe"]
        container["resources"] = {}
        found["spec"]["template"]["spec"]["terminationGracePeriodSeconds"] = 1
    return found


def _image(settings: Settings) -> str:
    program = settings.binary("policy-controller/webhook")
    recipe = tekton_images.Recipe(
        REPOSITORY,
        (("ko-app/webhook", program),),
        ("/ko-app/webhook",),
        tekton_images.NONROOT,
        program.parent.parent.name,
    )
    registry = Registry(settings.registry)
    digest = registry.digest(REPOSITORY, recipe.tag)
    if digest is None:
        digest = tekton_images.push(settings, registry, REPOSITORY, recipe)
    return f"{tekton_images.HOST}/{REPOSITORY}@{digest}"


def _config(settings: Settings) -> Path:
    """Upstream's manifests, in the Go module."""
    environment = {**os.environ, "GOTOOLCHAIN": "local", "GOFLAGS": "-mod=mod", "GOWORK": "off"}
    argv = ["go", "mod", "download", "-json", MODULE]
    folder = binaries.ADMISSION.folder
    done = subprocess.run(argv, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        said = (done.stderr or done.stdout).strip()[-500:]
        raise WorldError(f"the module's manifests cannot be fetched: {said}", where=MODULE, todo="Try again.")
    return Path(json.loads(done.stdout)["Dir"]) / "config"
