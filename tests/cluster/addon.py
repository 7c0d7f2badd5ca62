"""A controller that a test wants beside the cluster for a while: upstream's manifests, with an image of our own."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from tests.cluster import binaries, tekton_images
from tests.cluster.kubectl import kubectl
from tests.cluster.oci import Registry
from tests.cluster.settings import Settings

from penstock.foundation.errors import WorldError

EARLY = ("Namespace", "CustomResourceDefinition")
OF_THE_CLUSTER = ("ClusterRole", "ClusterRoleBinding", "CustomResourceDefinition")
PROBES = {"initialDelaySeconds": 0, "failureThreshold": 60, "timeoutSeconds": 10}
"""Two cores that do something else may leave it waiting for seconds."""


@dataclass(frozen=True)
class Addon:
    """What it is made of."""

    module: binaries.Module
    source: str
    """The Go module, whose folder ``config`` has the manifests."""
    program: str
    """As :mod:`tests.cluster.binaries` names it; its package is the module's ``cmd/`` and the last of its name."""
    namespace: str
    """Of its own, as upstream's manifests have it."""
    deployment: str
    arguments: tuple[str, ...]

    def objects(self, settings: Settings) -> list[dict[str, Any]]:
        """Its manifests, ready to be applied; builds the program if need be.

        Raises:
            WorldError: something cannot be fetched or built.
        """
        binaries.build_missing(settings.cache, [self.module])
        return list(self._objects(settings))

    def _objects(self, settings: Settings) -> Iterator[dict[str, Any]]:
        named, image = f"ko://{self.source}/cmd/{Path(self.program).name}", self._image(settings)
        for path in sorted(self._config().glob("*.yaml")):
            text = path.read_text(encoding="utf-8").replace(named, image)
            for one in yaml.load_all(text, Loader=yaml.CSafeLoader):
                if one and one["kind"] != "Kustomization":
                    yield self._adapted(one)

    def apply(self, settings: Settings, objects: list[dict[str, Any]]) -> None:
        """Install it, and wait until it runs. Raises WorldError."""
        for early in (True, False):
            some = [one for one in objects if (one["kind"] in EARLY) is early]
            kubectl(settings, "apply", "--server-side", "-f", "-", stdin=yaml.safe_dump_all(some))
        words = (f"--namespace={self.namespace}", f"deployment/{self.deployment}", "--timeout=120s")
        kubectl(settings, "rollout", "status", *words)

    def remove(self, settings: Settings, objects: list[dict[str, Any]]) -> None:
        """Take it away, also what a killed test has left."""
        named = [f"{one['kind']}/{one['metadata']['name']}".lower() for one in objects if one["kind"] in OF_THE_CLUSTER]
        for name in [*named, f"namespace/{self.namespace}"]:
            kubectl(settings, "delete", "--ignore-not-found", "--timeout=60s", name)

    def _adapted(self, found: dict[str, Any]) -> dict[str, Any]:
        if found["kind"] == "Deployment":
            spec = found["spec"]["template"]["spec"]
            (container,) = spec["containers"]
            container |= {"args": list(self.arguments), "imagePullPolicy": "IfNotPresent", "resources": {}}
            for probe in ("readinessProbe", "livenessProbe"):
                if probe in container:
                    container[probe] |= PROBES
            spec["terminationGracePeriodSeconds"] = 1
        return found

    def _image(self, settings: Settings) -> str:
        program = settings.binary(self.program)
        inside = f"ko-app/{program.name}"
        recipe = tekton_images.Recipe(
            self.program, ((inside, program),), (f"/{inside}",), tekton_images.NONROOT, program.parent.parent.name
        )
        registry = Registry(settings.registry)
        digest = registry.digest(recipe.name, recipe.tag)
        if digest is None:
            digest = tekton_images.push(settings, registry, recipe.name, recipe)
        return f"{tekton_images.HOST}/{recipe.name}@{digest}"

    def _config(self) -> Path:
        """Upstream's manifests."""
        environment = {**os.environ, "GOTOOLCHAIN": "local", "GOFLAGS": "-mod=mod", "GOWORK": "off"}
        argv = ["go", "mod", "download", "-json", self.source]
        folder = self.module.folder
        done = subprocess.run(argv, cwd=folder, env=environment, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            said = (done.stderr or done.stdout).strip()[-500:]
            raise WorldError(f"the module's manifests cannot be fetched: {said}", where=self.source, todo="Try again.")
        return Path(json.loads(done.stdout)["Dir"]) / "config"
