"""Tekton's manifests, from the Go modules that its programs are built of."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from tests.cluster.tekton_images import SHELL

from penstock.foundation.errors import WorldError
from penstock.foundation.files import sha256_file

Object = dict[str, Any]
MODULES = {"pipeline": "github.com/tektoncd/pipeline", "triggers": "github.com/tektoncd/triggers"}
GO_MODULE = Path(__file__).parent / "go" / "tekton"
KO = re.compile(r"ko://github\.com/tektoncd/(?P<name>pipeline|triggers)/cmd/(?P<program>[a-z]+)")
LEFT_OUT = ("HorizontalPodAutoscaler",)
"""Nothing on this cluster measures pods, so that it could only complain."""
FEATURES = {
    # Pods without a service mesh's sidecars need not be seen "ready" once before their first step starts.
    "running-in-environment-with-injected-sidecars": "false",
    # Tekton's own containers then pass the Pod Security level "restricted".
    "set-security-context": "true",
}
CONTROLLER_ARGUMENTS = {"-threads-per-controller": "8", "-kube-api-qps": "50", "-kube-api-burst": "50"}
"""Its defaults (2 threads, 5 requests a second) are for many tenants' sake; here it would be what runs wait for."""

WEBHOOK_TIMEOUT_S = 30
REQUESTS = {"cpu": "10m", "memory": "64Mi"}
"""Where upstream asks for nothing. A pod without gets a five-hundredth of what one gets that asks for a core, as
*measure* does, and runs wait for a controller that does not come to work."""
BUSIEST = "tekton-pipelines-controller"
"""Every run waits for it: it asks for more."""
LISTENER_ARGUMENTS = {"-period-seconds": "1", "-failure-threshold": "30"}
"""How often a listener is looked at: seldom, it would be ready for ten seconds before anybody knew."""


def provide(cache: Path) -> Path:
    """A folder with ``pipeline/`` and ``triggers/``, upstream's ``config`` folders; fetched once. Raises WorldError."""
    folder = cache / "cluster" / f"tekton-manifests-{sha256_file(GO_MODULE / 'go.sum')[:12]}"
    if folder.is_dir():
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    for stale in [*folder.parent.glob("tekton-manifests-*"), *folder.parent.glob(".tekton-manifests-*")]:
        shutil.rmtree(stale)  # of other versions, and of a run that was killed
    work = Path(tempfile.mkdtemp(prefix=".tekton-manifests-", dir=folder.parent))
    try:
        for name, module in MODULES.items():
            shutil.copytree(_module_dir(module) / "config", work / name)
        work.chmod(0o755)
        work.rename(folder)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return folder


def _module_dir(module: str) -> Path:
    environment = {**os.environ, "GOTOOLCHAIN": "local", "GOFLAGS": "-mod=mod", "GOWORK": "off"}
    argv = ["go", "mod", "download", "-json", module]
    done = subprocess.run(argv, cwd=GO_MODULE, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        said = (done.stderr or done.stdout).strip()[-500:]
        raise WorldError(f"the module's manifests cannot be fetched: {said}", where=module, todo="Try again.")
    return Path(json.loads(done.stdout)["Dir"])


def render(folder: Path, images: Mapping[str, str]) -> list[Object]:
    """All objects of Tekton Pipelines and Triggers, ready to be applied.

    Args:
        folder: as :func:`provide` gives it.
        images: name of a program (``pipeline/controller``, …; ``shell``) → reference of its image.

    Raises:
        WorldError: a manifest asks for an image that is not among them.
    """
    objects: list[Object] = []
    for path in sorted(folder.rglob("*.yaml")):
        text = _with_images(path, images)
        found = [one for one in yaml.load_all(text, Loader=yaml.CSafeLoader) if one and one["kind"] not in LEFT_OUT]
        objects += [_adapted(one, images) for one in found]
    return objects


def _with_images(path: Path, images: Mapping[str, str]) -> str:
    """A manifest's text with real references in place of ``ko://`` ones."""

    def image(match: re.Match[str]) -> str:
        name = f"{match['name']}/{match['program']}"
        if name not in images:
            raise WorldError(f"it needs the image of '{name}', which is not built here", where=path.name)
        return images[name]

    text = KO.sub(image, path.read_text(encoding="utf-8"))
    if "ko://" in text:
        raise WorldError("it needs an image that is not built here: see 'ko://' in it", where=str(path))
    return text


def in_order(objects: list[Object]) -> tuple[list[Object], list[Object]]:
    """Namespaces and definitions first, then the rest: of what is defined first, programs last."""
    early = [one for one in objects if one["kind"] in ("Namespace", "CustomResourceDefinition")]
    rest = [one for one in objects if one not in early]
    # an interceptor is checked by the webhook as soon as there is one
    return sorted(early, key=lambda one: one["kind"] != "Namespace"), sorted(
        rest, key=lambda one: one["kind"] == "Deployment"
    )


def _adapted(found: Object, images: Mapping[str, str]) -> Object:
    if found["kind"] == "ConfigMap" and found["metadata"]["name"] == "feature-flags":
        found["data"].update(FEATURES)
    if found["kind"] == "Deployment":
        for container in found["spec"]["template"]["spec"]["containers"]:
            _adapt_container(container, images)
    if found["kind"] in ("ValidatingWebhookConfiguration", "MutatingWebhookConfiguration"):
        for webhook in found["webhooks"]:  # a run that Tekton cannot write to is lost
            webhook["timeoutSeconds"] = WEBHOOK_TIMEOUT_S
    return found


def _adapt_container(container: Object, images: Mapping[str, str]) -> None:
    container["imagePullPolicy"] = "IfNotPresent"
    requests = REQUESTS | {"cpu": "50m"} if container["name"] == BUSIEST else REQUESTS
    container["resources"] = {"requests": requests} | container.get("resources", {})
    if "readinessProbe" in container:  # looked at from the first second on
        container["readinessProbe"] |= {"initialDelaySeconds": 0, "periodSeconds": 1, "failureThreshold": 60}
    for probe in ("readinessProbe", "livenessProbe"):  # two cores that build and infer may leave it waiting for seconds
        if probe in container:
            container[probe] |= {"timeoutSeconds": 10, "failureThreshold": 60}
    if container["name"] == BUSIEST:
        container["args"] = _with(container["args"], {"-shell-image": images[SHELL], **CONTROLLER_ARGUMENTS})
    if container["name"] == "tekton-triggers-controller":
        container["args"] = _with(container["args"], LISTENER_ARGUMENTS)


def _with(arguments: list[str], wanted: Mapping[str, str]) -> list[str]:
    """Arguments ``-name value`` with these set, replaced or added."""
    changed = list(arguments)
    for name, value in wanted.items():
        if name in changed:
            changed[changed.index(name) + 1] = value
        else:
            changed += [name, value]
    return changed
