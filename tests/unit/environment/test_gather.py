"""Facts of an image and of a recipe."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.pipeline.pipeline_runs import contract
from tests.unit.environment.layers import SITE, wheel_files

from penstock.contract.models import Contract
from penstock.environment.built_image import ImageContent, ImageSettings
from penstock.environment.debian import Distribution
from penstock.environment.facts import EnvironmentFacts
from penstock.environment.gather import facts_of_image, facts_of_recipe, lost_weights, recipe_of
from penstock.environment.judge import judge
from penstock.environment.layer_files import MergedFiles

CUDA_BASE = "FROM nvidia/cuda:11.8.0-cudnn8-runtime-ubuntu22.04\n"
SETTINGS = ImageSettings({"LANG": "C.UTF-8"}, "10001", "/model", "amd64", [], [])
NAMES = {
    "usr/local/cuda-11.8/targets/x86_64-linux/lib/libcudart.so.11.8.89",
    "usr/local/cuda-11.8/targets/x86_64-linux/lib/libcudart.so.11.0",
    f"{SITE}/torch/lib/libcublas.so.12",
    "usr/lib/x86_64-linux-gnu/libcudnn.so.8",
    "usr/local/cuda-11.8/compat/libcuda.so.520.61.05",
    "usr/local/bin/python3.11",
    "usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2",
}
FILES = {
    **wheel_files("onnxruntime-gpu", "1.18.0", "cp311-cp311-linux_x86_64"),
    "usr/local/cuda-11.8/version.json": '{"cuda": {"name": "CUDA SDK", "version": "11.8.20220929"}}',
    f"{SITE}/onnxruntime/capi/build_and_package_info.py": "cuda_version = '12.2'\n",
    "etc/os-release": 'PRETTY_NAME="Ubuntu"\nID=ubuntu\nVERSION_ID="22.04"\n',
    "var/lib/dpkg/status": "libc6 2.35-0ubuntu3 amd64\n",
}


def contract_of(**changes: Any) -> Contract:
    return Contract.model_validate(contract(**changes))


def test_an_image(tmp_path: Path) -> None:
    (tmp_path / "Containerfile").write_text(CUDA_BASE + "HEALTHCHECK CMD true\n")
    recipe = recipe_of(tmp_path, contract_of())
    facts = facts_of_image(ImageContent(SETTINGS, MergedFiles(frozenset(NAMES), FILES)), "sha256:x", recipe)
    assert [str(wheel) for wheel in facts.wheels] == ["onnxruntime-gpu 1.18.0"]
    assert facts.wheels[0].folder == SITE
    assert [found.version for found in facts.cudart or []] == ["11.8.20220929", "11"]
    assert [found.major for found in facts.cublas or []] == [12]
    assert [found.major for found in facts.cudnn or []] == [8]
    assert (facts.pythons, facts.processor, facts.musl, facts.compat) == ([(3, 11)], "x86_64", False, 520)
    assert (facts.healthcheck, facts.digest) == ("CMD true", "sha256:x")
    assert facts.distribution == Distribution("ubuntu", "22.04")
    assert [str(package) for package in facts.system_packages] == ["libc6 2.35-0ubuntu3 amd64"]
    # built for CUDA 12, as it says itself: the table has 11 for this version
    assert "onnxruntime-gpu 1.18.0 needs CUDA 12" in judge(facts).findings[0].what


def test_an_image_with_broken_files_and_without_a_recipe() -> None:
    files = {"usr/local/cuda/version.json": "[" * 100_000, f"{SITE}/x-1.dist-info/METADATA": "Name: ../x\nVersion: 1\n"}
    facts = facts_of_image(ImageContent(SETTINGS, MergedFiles(frozenset(), files)), "", None)
    assert (facts.wheels, facts.cudart, facts.pythons, facts.musl, facts.healthcheck) == ([], [], None, None, None)


def recipe_facts(folder: Path, recipe: str, **files: str) -> EnvironmentFacts:
    (folder / "Containerfile").write_text(recipe)
    for name, text in files.items():
        (folder / f"{name}.txt").write_text(text)
    return facts_of_recipe(folder, recipe_of(folder, contract_of()))


INSTALL = "COPY requirements.txt .\nRUN pip install --requirement requirements.txt\n"


def test_a_recipe_on_cuda_and_the_requirements_that_it_installs(tmp_path: Path) -> None:
    facts = recipe_facts(tmp_path, CUDA_BASE + INSTALL + "USER 1\n", requirements="onnxruntime-gpu==1.31.1\n")
    assert [found.kind for found in judge(facts).findings if found.severity == "error"] == ["cuda", "cuda"]
    assert (facts.user, facts.environment) == ("1", {})


@pytest.mark.parametrize(
    ("recipe", "requirements", "errors"),
    [
        (CUDA_BASE, "onnxruntime-gpu==1.18.1", 0),
        ("FROM nvidia/cuda:12.4.1-cudnn-runtime-ubuntu22.04\n", "onnxruntime-gpu==1.23.2", 0),
        ("FROM nvidia/cuda:12.4.1-runtime-ubuntu22.04\n", "onnxruntime-gpu==1.23.2", 1),
        ("FROM python:3.11-slim\n", "onnxruntime-gpu==1.23.2", 1),
        ("FROM python:3.11-slim\n", "onnxruntime==1.23.2", 0),
        # CUDA that packages bring along
        (CUDA_BASE, "onnxruntime-gpu[cuda,cudnn]==1.31.1", 0),
        (CUDA_BASE, "onnxruntime-gpu==1.31.1\nnvidia-cuda-runtime==13.5.37\nnvidia-cudnn-cu13==9.28.1.4", 0),
        (CUDA_BASE, "onnxruntime-gpu==1.23.2\ntorch==2.6.0", 0),
        # what cannot be known is not judged
        (CUDA_BASE, "onnxruntime-gpu>=1.20", 0),
        (CUDA_BASE + "RUN apt-get install --yes cuda-libraries-13-0\n", "onnxruntime-gpu==1.31.1", 0),
        ("FROM registry.example/own:1\n", "onnxruntime-gpu==1.31.1", 0),
        (CUDA_BASE, "-i https://pkgs.example/simple\nonnxruntime-gpu==1.31.1", 0),
        (CUDA_BASE, "-r absent.txt\nonnxruntime-gpu==1.31.1", 0),
    ],
)
def test_recipes(tmp_path: Path, recipe: str, requirements: str, errors: int) -> None:
    record = judge(recipe_facts(tmp_path, recipe + INSTALL, requirements=requirements))
    assert len(record.errors) == errors, record.errors
    assert record.not_judged


def test_torch_of_its_own_index_and_of_its_own_image(tmp_path: Path) -> None:
    text = "--index-url https://download.pytorch.org/whl/cu118\ntorch==2.3.0\n"
    facts = recipe_facts(tmp_path, "FROM python:3.11\n" + INSTALL, requirements=text)
    assert [(need.wheel, need.driver) for need in judge(facts).needs] == [("torch 2.3.0+cu118", 450)]
    facts = recipe_facts(tmp_path, "FROM pytorch/pytorch:2.3.0-cuda12.1-cudnn8-runtime\n")
    assert [(need.wheel, need.driver) for need in judge(facts).needs] == [("torch 2.3.0+cu121", 525)]


def test_requirements_that_are_copied_elsewhere_and_no_recipe_at_all(tmp_path: Path) -> None:
    recipe = "FROM python:3.11\nCOPY requirements.txt /tmp/\nRUN pip3 install -r /tmp/requirements.txt\n"
    facts = recipe_facts(tmp_path, recipe, requirements="numpy==2.4.6\n")
    assert [str(wheel) for wheel in facts.wheels] == ["numpy 2.4.6"]
    (tmp_path / "Containerfile").unlink()
    assert recipe_of(tmp_path, contract_of()) is None
    facts = facts_of_recipe(tmp_path, None)
    assert [str(wheel) for wheel in facts.wheels] == ["numpy 2.4.6"]
    assert (facts.environment, facts.user, facts.healthcheck) == (None, None, None)
    (tmp_path / "requirements.txt").unlink()
    assert facts_of_recipe(tmp_path, None).unread == []


def test_files_that_lead_out_of_the_repository_are_not_read(tmp_path: Path) -> None:
    outside = tmp_path / "outside.txt"
    outside.write_text("numpy==1.0\n")
    source = tmp_path / "source"
    source.mkdir()
    (source / "requirements.txt").symlink_to(outside)
    (source / "Containerfile").write_text("FROM python:3.11\nRUN pip install -r requirements.txt -r ../outside.txt\n")
    facts = facts_of_recipe(source, recipe_of(source, contract_of()))
    assert facts.wheels == []
    assert facts.unread == ["requirements.txt", "../outside.txt"]


@pytest.mark.parametrize(
    ("value", "lost"),
    [
        ("/model/weights/model.onnx", False),
        ("/model/weights", False),
        ("/model/weights/", False),
        ("/model/weights/other.onnx", True),
        ("/model/weightsand/other.onnx", False),
        ("/data", False),
        ("", False),
    ],
)
def test_variables_that_name_weights(value: str, lost: bool) -> None:
    weights = [{"path": "weights/model.onnx", "sha256": "a" * 64, "source": "lfs"}]
    found = lost_weights({"WEIGHTS": value}, contract_of(weights=weights), "/model")
    assert found == ({"WEIGHTS": value} if lost else {})
    assert lost_weights({"WEIGHTS": value}, contract_of(), "/model") == {}
    assert lost_weights({"WEIGHTS": value}, contract_of(weights=weights), "") == {}
