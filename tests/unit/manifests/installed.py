"""The manifests that ``kubectl apply -k tekton/`` installs, as objects."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[3]
TEKTON = ROOT / "tekton"
NOT_INSTALLED = {"kustomization.yaml", "admission", "runs"}
"""runs/ is what people start, or give to ``tkn``; admission/ is for clusters that have a policy-controller."""


@cache
def files() -> list[str]:
    """Every manifest that is to be installed, by its path below tekton/."""
    found = sorted(path.relative_to(TEKTON) for path in TEKTON.rglob("*.yaml"))
    return [str(path) for path in found if path.parts[0] not in NOT_INSTALLED]


@cache
def read(name: str) -> list[dict[str, Any]]:
    """The objects of one file below tekton/; to be looked at, not changed."""
    return list(yaml.load_all((TEKTON / name).read_text(encoding="utf-8"), Loader=yaml.CSafeLoader))


@cache
def objects(kind: str) -> dict[str, dict[str, Any]]:
    """Every installed object of a kind, by name."""
    found = [manifest for name in files() for manifest in read(name) if manifest["kind"] == kind]
    return {manifest["metadata"]["name"]: manifest for manifest in found}
