"""Tekton's manifests as they are applied, from a folder with upstream's shapes."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from tests.cluster import tekton_images, tekton_manifests

from penstock.foundation.errors import WorldError

IMAGES = {
    **{f"{group}/{name}": f"penstock.local/tekton/{group}/{name}@sha256:1"
       for group, names in tekton_images.PROGRAMS.items() for name in names},
    "shell": "penstock.local/tekton/shell@sha256:1",
}  # fmt: skip
CONTROLLER = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: tekton-pipelines-controller, namespace: tekton-pipelines}
spec:
  template:
    spec:
      containers:
        - name: tekton-pipelines-controller
          image: ko://github.com/tektoncd/pipeline/cmd/controller
          args: [
            "-entrypoint-image", "ko://github.com/tektoncd/pipeline/cmd/entrypoint",
            # a comment of upstream's
            "-shell-image", "cgr.dev/chainguard/busybox@sha256:19f0",
            "-shell-image-win", "mcr.microsoft.com/powershell:nanoserver@sha256:b6d5",
          ]
          readinessProbe: {httpGet: {path: /readiness, port: probes}, initialDelaySeconds: 5, periodSeconds: 10}
"""
TRIGGERS = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: tekton-triggers-controller, namespace: tekton-pipelines}
spec:
  template:
    spec:
      containers:
        - name: tekton-triggers-controller
          image: "ko://github.com/tektoncd/triggers/cmd/controller"
          args: ["-el-image", "ko://github.com/tektoncd/triggers/cmd/eventlistenersink", "-period-seconds", "10"]
"""
FLAGS = """
# upstream's file begins with a comment
apiVersion: v1
kind: ConfigMap
metadata: {name: feature-flags, namespace: tekton-pipelines}
data: {coschedule: workspaces, set-security-context: "false", enable-api-fields: beta}
---
apiVersion: v1
kind: Namespace
metadata: {name: tekton-pipelines}
"""
DEFINITION = "{apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, metadata: {name: interceptors}}"
INTERCEPTOR = "{apiVersion: triggers.tekton.dev/v1alpha1, kind: ClusterInterceptor, metadata: {name: github}}"
SCALER = "{apiVersion: autoscaling/v2, kind: HorizontalPodAutoscaler, metadata: {name: tekton-pipelines-webhook}}"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    files = {
        "pipeline/controller.yaml": CONTROLLER,
        "pipeline/config-feature-flags.yaml": FLAGS,
        "pipeline/webhook-hpa.yaml": SCALER,
        "triggers/controller.yaml": TRIGGERS,
        "triggers/300-interceptor.yaml": DEFINITION,
        "triggers/interceptors/core.yaml": INTERCEPTOR,
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def named(objects: list[tekton_manifests.Object], name: str) -> tekton_manifests.Object:
    return next(one for one in objects if one["metadata"]["name"] == name)


def test_every_image_is_ours(folder: Path) -> None:
    objects = tekton_manifests.render(folder, IMAGES)
    text = yaml.safe_dump_all(objects)
    assert "ko://" not in text
    assert "cgr.dev" not in text
    controller = named(objects, "tekton-pipelines-controller")["spec"]["template"]["spec"]["containers"][0]
    assert controller["image"] == "penstock.local/tekton/pipeline/controller@sha256:1"
    assert controller["args"][:4] == [
        "-entrypoint-image",
        IMAGES["pipeline/entrypoint"],
        "-shell-image",
        IMAGES["shell"],
    ]
    assert controller["args"][controller["args"].index("-threads-per-controller") + 1] == "8"
    assert controller["readinessProbe"]["periodSeconds"] == 1


def test_what_differs_from_upstream(folder: Path) -> None:
    objects = tekton_manifests.render(folder, IMAGES)
    flags = named(objects, "feature-flags")["data"]
    assert flags == {
        "coschedule": "workspaces",
        "set-security-context": "true",
        "enable-api-fields": "beta",
        "running-in-environment-with-injected-sidecars": "false",
    }
    for one in (found for found in objects if found["kind"] == "Deployment"):
        for container in one["spec"]["template"]["spec"]["containers"]:
            assert container["resources"]["requests"]["cpu"], container["name"]
    triggers = named(objects, "tekton-triggers-controller")["spec"]["template"]["spec"]["containers"][0]
    assert triggers["args"] == [
        "-el-image", IMAGES["triggers/eventlistenersink"], "-period-seconds", "1", "-failure-threshold", "30"
    ]  # fmt: skip
    assert "HorizontalPodAutoscaler" not in {one["kind"] for one in objects}


def test_order(folder: Path) -> None:
    first, rest = tekton_manifests.in_order(tekton_manifests.render(folder, IMAGES))
    assert [one["kind"] for one in first] == ["Namespace", "CustomResourceDefinition"]
    kinds = [one["kind"] for one in rest]
    assert kinds == sorted(kinds, key=lambda kind: kind == "Deployment")
    assert "ClusterInterceptor" in kinds


@pytest.mark.parametrize("program", ["pipeline/cmd/unheard", "cli/cmd/tkn"])
def test_an_image_that_nobody_builds(folder: Path, program: str) -> None:
    (folder / "pipeline" / "new.yaml").write_text(f"kind: Pod\nimage: ko://github.com/tektoncd/{program}\n")
    with pytest.raises(WorldError, match="not built here"):
        tekton_manifests.render(folder, IMAGES)
