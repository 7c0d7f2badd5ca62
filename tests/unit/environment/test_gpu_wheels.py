"""Which CUDA a wheel needs: what it says itself goes before the table."""

from __future__ import annotations

import pytest

from penstock.environment.gpu_wheels import brought_along, gpu_wheels
from penstock.environment.wheels import Wheel, read_requirement


def wheel(name: str, version: str, *requires: str, folder: str = "lib/python3.11/site-packages") -> Wheel:
    lines = [found for each in requires if (found := read_requirement(each)) is not None]
    return Wheel(name, version, requires=tuple(lines), folder=folder)


@pytest.mark.parametrize(
    ("given", "cuda", "cudnn", "evidence"),
    [
        (wheel("torch", "2.3.0+cu118", "nvidia-nccl-cu11"), 11, None, "its version"),
        (wheel("torch", "2.9.0+cu130", "nvidia-cudnn-cu13==9.13.0.50"), 13, 9, "its version"),
        (wheel("torch", "1.8.0+cu92"), 9, None, "its version"),
        (
            wheel("torch", "2.6.0", "nvidia-cuda-runtime-cu12 (==12.4.127)", "nvidia-cudnn-cu12 (==9.1.0.70)"),
            *(12, 9, "its metadata asks for nvidia-cuda-runtime-cu12"),
        ),
        (
            wheel("torch", "2.12.0", "cuda-toolkit[cudart]==13.0.2", "nvidia-cudnn-cu13==9.20.0.48"),
            *(13, 9, "its metadata asks for cuda-toolkit"),
        ),
        (
            # a wheel of another index: the table would say CUDA 13
            wheel("onnxruntime-gpu", "1.31.1", 'nvidia-cuda-runtime-cu12~=12.0; extra == "cuda"'),
            *(12, None, "its metadata asks for nvidia-cuda-runtime-cu12"),
        ),
        (wheel("onnxruntime-gpu", "1.19.2"), 12, 9, "Penstock's table"),
        (wheel("onnxruntime-gpu", "1.18.0"), 11, 8, "Penstock's table"),
        (wheel("torch", "2.3.0", folder=""), 12, 8, "Penstock's table"),
    ],
)
def test_what_it_needs(given: Wheel, cuda: int, cudnn: int | None, evidence: str) -> None:
    (found,), unknown = gpu_wheels([given])
    assert (found.cuda, found.cudnn, found.evidence) == (cuda, cudnn, evidence)
    assert unknown == []


def test_what_onnxruntime_says_of_its_build_goes_first() -> None:
    info = "package_name = 'onnxruntime-gpu'\n__version__ = '1.18.0'\ncuda_version = '12.2'\n"
    (found,), _ = gpu_wheels([wheel("onnxruntime-gpu", "1.18.0")], info)
    assert (found.cuda, found.cudnn) == (12, None)


def test_wheels_for_a_cpu_and_wheels_of_which_nothing_is_known() -> None:
    cpu = [wheel("torch", "2.6.0+cpu"), wheel("torch", "2.6.0"), wheel("onnxruntime", "1.31.1"), wheel("numpy", "2.0")]
    assert gpu_wheels(cpu) == ([], [])
    old = wheel("torch", "1.9.0", folder="")
    assert gpu_wheels([old]) == ([], [old])


def test_packages_that_bring_cuda_along() -> None:
    names = [
        "nvidia-cuda-runtime-cu12==12.4.127",
        "nvidia-cudnn-cu12==9.1.0.70",
        "nvidia-cuda-runtime==13.5.37",
        "numpy",
    ]
    assert brought_along(names) == ({12, 13}, {9})
