"""The overlay that ``kubectl apply -k build/install`` installs: the repository's manifests, the images by digest."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path

from images.recipe import ROOT

from penstock.foundation.files import write_text

OUT = ROOT / "build" / "install"
MADE = "images.json"
"""Beside the overlay: which images it names, for ``--only`` and for ``images.check``."""
NAMED = "penstock.local"
"""The registry that the repository's manifests name; no machine has it."""
FIELDS = "image-fields.yaml"
IMAGE_FIELDS = """\
# Where kustomize finds names of images beside pods: in Tekton's Tasks and Pipelines, whose parameters are all strings.
images:
  - {kind: Task, path: "spec/steps[]/image"}
  - {kind: Task, path: "spec/sidecars[]/image"}
  - {kind: Task, path: "spec/params[]/default"}
  - {kind: Pipeline, path: "spec/params[]/default"}
  - {kind: Pipeline, path: "spec/params[]/default"}
"""


def write_overlay(folder: Path, images: Mapping[str, str], *, manifests: Path = ROOT / "tekton") -> Path:
    """Write ``kustomization.yaml`` and what it names into ``folder``.

    Args:
        folder: where, by default ``build/install``.
        images: step or service → ``registry/path/step@sha256:…``.
        manifests: the repository's ``tekton`` folder.
    """
    lines = [
        "# Written by `make images`. Install: kubectl apply -k " + shown(folder),
        "apiVersion: kustomize.config.k8s.io/v1beta1",
        "kind: Kustomization",
        "resources:",
        f"  - {os.path.relpath(manifests, folder.resolve())}",
        "configurations:",
        f"  - {FIELDS}",
        "images:",
    ]
    for name, reference in sorted(images.items()):
        repository, _, digest = reference.partition("@")
        lines += [f"  - name: {NAMED}/{name}", f"    newName: {json.dumps(repository)}", f"    digest: {digest}"]
    write_text(folder / FIELDS, IMAGE_FIELDS)
    write_text(folder / "kustomization.yaml", "\n".join(lines) + "\n")
    return folder / "kustomization.yaml"


def shown(path: Path) -> str:
    """A path as a person in the repository would type it."""
    return str(path.resolve().relative_to(ROOT)) if path.resolve().is_relative_to(ROOT) else str(path)
