"""Pairs to serve."""

from __future__ import annotations

from penstock.bundle.models import Image, WeightsFile
from penstock.releases.baseline import Release
from penstock.targets.pair import ServedPair, pair_of


def release(version: str = "1.1.0", digit: str = "1", *, weights: bool = True, kind: str = "image") -> Release:
    files = [WeightsFile(path="w.onnx", sha256=digit * 64, bytes=3, source="https://hub.example.org/w.onnx")]
    return Release(
        model="sonic-lite",
        version=version,
        run_id=f"run-{digit}",
        url="https://git.example.org/acme/sonic",
        commit=digit * 40,
        tree=digit * 64,
        weights=files if weights else [],
        image=Image.model_validate(
            {"kind": kind, "url": "registry.example.org/sonic:x", "digest": f"sha256:{digit * 64}"}
        ),
        manifest_sha256="e" * 64,
        replaces=None,
        target="shop",
    )


def pair(version: str = "1.1.0", digit: str = "1", *, weights: bool = True) -> ServedPair:
    return pair_of(release(version, digit, weights=weights), evidence="s3://releases/runs/sonic-lite/run")
