"""The overlay: kustomize finds every name of ours in the manifests, and makes it one in the registry, by digest."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from images.overlay import FIELDS, NAMED, write_overlay
from images.recipe import ROOT, recipes

DIGEST = "sha256:" + "a" * 64
IMAGES = {name: f"host:5000/path/{name}@{DIGEST}" for name, recipe in recipes().items() if not recipe.is_shared}


def strings(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Every string of a manifest with its path, as kustomize writes it."""
    if isinstance(value, dict):
        for key, one in value.items():
            yield from strings(one, f"{path}/{key}" if path else key)
    elif isinstance(value, list):
        for one in value:
            yield from strings(one, f"{path}[]")
    elif isinstance(value, str):
        yield path, value


def manifests() -> Iterator[dict[str, Any]]:
    for path in sorted((ROOT / "tekton").glob("*/*.yaml")):
        yield from (document for document in yaml.safe_load_all(path.read_text(encoding="utf-8")) if document)


OF_PODS = {
    ("CronJob", "spec/jobTemplate/spec/template/spec/containers[]/image"),
    ("Deployment", "spec/template/spec/containers[]/image"),
}
"""Where kustomize looks by itself: every container of a pod's template."""


@pytest.fixture
def written(tmp_path: Path) -> dict[str, Any]:
    return dict(yaml.safe_load(write_overlay(tmp_path / "install", IMAGES).read_text(encoding="utf-8")))


def test_it_names_the_manifests_and_every_image(tmp_path: Path, written: dict[str, Any]) -> None:
    assert (tmp_path / "install" / written["resources"][0]).resolve() == ROOT / "tekton"
    assert written["configurations"] == [FIELDS]
    assert {entry["name"] for entry in written["images"]} == {f"{NAMED}/{name}" for name in IMAGES}
    gate = next(entry for entry in written["images"] if entry["name"] == f"{NAMED}/gate")
    assert gate == {"name": f"{NAMED}/gate", "newName": "host:5000/path/gate", "digest": DIGEST}


@pytest.mark.slow
def test_every_name_of_ours_stands_where_kustomize_looks(tmp_path: Path, written: dict[str, Any]) -> None:
    rules = yaml.safe_load((tmp_path / "install" / FIELDS).read_text(encoding="utf-8"))["images"]
    looked_at = {(rule["kind"], rule["path"]) for rule in rules} | OF_PODS
    found = [
        (manifest.get("kind"), path, value)
        for manifest in manifests()
        for path, value in strings(manifest)
        if value.startswith(f"{NAMED}/")
    ]
    assert found
    for kind, path, value in found:
        name = value.removeprefix(f"{NAMED}/").partition(":")[0]
        assert (kind, path) in looked_at, f"{kind} {path}: {value}"
        assert name in IMAGES, value


@pytest.mark.slow
def test_defaults_are_strings_where_kustomize_looks() -> None:
    """On a list it stops: "wrong node kind"."""
    for manifest in manifests():
        if manifest.get("kind") in ("Task", "Pipeline"):
            for param in manifest["spec"].get("params", []):
                assert isinstance(param.get("default", ""), str), param["name"]
