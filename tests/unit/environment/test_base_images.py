"""Images by their names."""

from __future__ import annotations

import pytest

from penstock.environment.base_images import base_image


@pytest.mark.parametrize(
    ("name", "cuda", "cudnn"),
    [
        ("docker.io/nvidia/cuda:11.8.0-cudnn8-runtime-ubuntu22.04", "11.8.0", 8),
        ("nvidia/cuda:12.3.2-cudnn9-devel-ubuntu22.04", "12.3.2", 9),
        ("nvidia/cuda:12.6.3-cudnn-runtime-ubuntu24.04", "12.6.3", 9),
        ("nvcr.io/nvidia/cuda:12.4.1-base-ubuntu22.04", "12.4.1", 0),
        ("nvidia/cuda:13.0.0-runtime-ubuntu24.04@sha256:" + "a" * 64, "13.0.0", 0),
        ("pytorch/pytorch:2.3.0-cuda12.1-cudnn8-runtime", "12.1", 8),
        ("python:3.11-slim", "", 0),
        ("docker.io/library/debian:bookworm", "", 0),
    ],
)
def test_those_that_are_known(name: str, cuda: str, cudnn: int) -> None:
    found = base_image(name)
    assert (found.known, found.cuda, found.cudnn) == (True, cuda, cudnn)


@pytest.mark.parametrize(
    "name", ["", "nvidia/cuda", "nvcr.io/nvidia/pytorch:24.05-py3", "registry:5000/own/python:3.11", "$BASE"]
)
def test_those_that_are_not(name: str) -> None:
    assert not base_image(name).known


def test_what_python_and_pytorch_have() -> None:
    assert base_image("docker.io/library/python:3.11.9-slim").python == "3.11"
    assert base_image("python:3.11-slim").environment == {"LANG": "C.UTF-8"}
    assert base_image("python:slim").python == ""
    assert base_image("pytorch/pytorch:2.3.0-cuda12.1-cudnn8-runtime").torch == "2.3.0+cu121"
