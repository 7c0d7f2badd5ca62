"""A ``targets.yaml`` to change."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

HOST_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJlW8GrwmO0zn4B1xCsnB5p6LfH4b8Xb0c9hQ0bAbcde"


def webhook(**more: Any) -> dict[str, Any]:
    there = {"kind": "webhook", "models": ["sonic-lite"], "url": "https://deploy.example.org/x", "secret": "hook"}
    return there | more


def gitops(**more: Any) -> dict[str, Any]:
    return {
        "kind": "gitops",
        "models": ["sonic-lite"],
        "repository": "https://git.example.org/platform/deploy.git",
        "file": "apps/sonic.yaml",
        "fields": [{"at": ["image"], "value": "image"}, {"at": ["w"], "value": "weights", "path": "w.onnx"}],
        "ready": {"url": "https://sonic.example.org/version", "says": ["image_digest", "weights"]},
    } | more


def host(**more: Any) -> dict[str, Any]:
    programs = {name: ["true"] for name in ("state", "pull", "weights", "restart", "health", "back")}
    there = {"kind": "host", "models": ["sonic-lite"], "address": "deploy@booth.example.org", "key": "ssh"}
    return there | {"host_keys": [HOST_KEY]} | programs | more


def deployment(**more: Any) -> dict[str, Any]:
    there = {"kind": "deployment", "models": ["sonic-lite"], "namespace": "studio", "name": "sonic"}
    return there | {"container": "model", "init_container": "weights"} | more


def write_targets(folder: Path, **targets: dict[str, Any]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "targets.yaml"
    path.write_text(yaml.safe_dump({"version": 1, "targets": targets}))
    return path
