"""From what was built to the record: the releases with the wrong CUDA are caught, the good ones are not."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from tests.pipeline.pipeline_runs import contract
from tests.unit.environment.layers import layer, wheel_files
from tests.unit.environment.test_built_image import IMAGE, Registry

from penstock.bundle.models import Image
from penstock.contract.models import Contract
from penstock.environment.look import look

MODELS = Path(__file__).resolve().parents[3] / "test-assets" / "models"
PROCESS = Image(kind="process", digest="sha256:" + "a" * 64)
CONTRACT = Contract.model_validate(contract())


@pytest.mark.parametrize(
    ("model", "release", "says"),
    [
        ("face-lite", "v1.0.18-cuda", "onnxruntime-gpu 1.31.1 needs CUDA 13"),
        ("recognition-lite", "v1.0.17-cuda", "onnxruntime-gpu 1.23.2 needs CUDA 12"),
        ("face-lite", "", ""),
        ("recognition-lite", "", ""),
        ("sonic-lite", "", ""),
        ("rmbg-lite", "", ""),
    ],
)
def test_releases_by_their_recipe(tmp_path: Path, model: str, release: str, says: str) -> None:
    for folder in ("base", *([f"releases/{release}"] if release else [])):
        for name in ("Containerfile", "requirements.txt"):
            shutil.copyfile(MODELS / model / folder / name, tmp_path / name)
    record = look(tmp_path, CONTRACT, PROCESS, tmp_path / "cache").record
    assert record.read == "recipe"
    assert bool(record.errors) == bool(says)
    assert not says or says in record.errors[0].what


def image_of(registry: Registry, version: str, cuda: int, cudnn: int) -> None:
    registry.hold(
        layer({"usr/local/bin/python3.11": "", f"lib/libcudart.so.{cuda}": "", f"lib/libcublas.so.{cuda}": ""}),
        layer({f"lib/libcudnn.so.{cudnn}": "", **wheel_files("onnxruntime-gpu", version, "cp311-cp311-linux_x86_64")}),
        Env=["LANG=C.UTF-8"],
        User="10001",
    )


@pytest.mark.slow
def test_an_image_whatever_its_recipe_says(tmp_path: Path) -> None:
    registry = Registry(tmp_path / "registry")
    (tmp_path / "Containerfile").write_text("FROM python:3.11\n")
    image_of(registry, "1.23.2", 12, 9)
    record = look(tmp_path, CONTRACT, IMAGE, tmp_path / "cache", skopeo=str(registry.program)).record
    assert (record.read, record.image, record.findings, record.unreadable) == ("image", IMAGE.digest, [], None)
    assert len(record.layers) == 2
    image_of(registry, "1.31.1", 12, 9)
    record = look(tmp_path, CONTRACT, IMAGE, tmp_path / "cache", skopeo=str(registry.program)).record
    assert [found.kind for found in record.errors] == ["cuda"]
    looked = look(tmp_path, CONTRACT, IMAGE, tmp_path / "cache", skopeo=str(registry.program))
    assert looked.record == record
    assert looked.facts is not None
    assert [str(wheel) for wheel in looked.facts.wheels] == ["onnxruntime-gpu 1.31.1"]


def test_an_image_that_cannot_be_read_is_said(tmp_path: Path) -> None:
    registry = Registry(tmp_path / "registry")
    (registry.folder / "fails").write_text("connection refused")
    looked = look(tmp_path, CONTRACT, IMAGE, tmp_path / "cache", skopeo=str(registry.program))
    record = looked.record
    assert looked.facts is None
    assert record.unreadable is not None
    assert "connection refused" in record.unreadable
    assert record.findings == []
