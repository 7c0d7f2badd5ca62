"""Which CUDA, cuDNN and driver a wheel needs: the one table, with where each line comes from.

Sources, read on 2026-11-26:

- NVIDIA, CUDA Compatibility, Minor Version Compatibility, table 1 (CUDA 11.x, 12.x, 13.x and the oldest driver):
  https://docs.nvidia.com/deploy/cuda-compatibility/minor-version-compatibility.html
- NVIDIA, CUDA Toolkit Release Notes, table of drivers (CUDA 10.x needs the driver of its own minor version):
  https://docs.nvidia.com/cuda/cuda-toolkit-release-notes/index.html
- NVIDIA, CUDA Compatibility, Forward Compatibility (the package ``cuda-compat``, cards of data centres only):
  https://docs.nvidia.com/deploy/cuda-compatibility/forward-compatibility.html
- ONNX Runtime, CUDA Execution Provider, Requirements (CUDA and cuDNN of the packages; cuDNN 8 and 9 do not mix; any
  minor version of the same major one will do):
  https://onnxruntime.ai/docs/execution-providers/CUDA-ExecutionProvider.html#requirements
- The METADATA of the published wheels: ``onnxruntime-gpu`` names its CUDA in the extras ``cuda`` and ``cudnn`` from
  1.21 (1.21 to 1.26: ``nvidia-cuda-runtime-cu12``; 1.27: ``-cu13``, from 1.28 ``nvidia-cuda-runtime~=13.0``); ``torch``
  pins ``nvidia-cuda-runtime-cu11`` from 1.13, ``-cu12`` from 2.1, ``cuda-toolkit==13`` from 2.11;
  what PyTorch's wheels are built to ask for:
  https://github.com/pytorch/pytorch/blob/main/.github/scripts/generate_binary_build_matrix.py
- PyTorch, wheels for an older or newer CUDA say it in their local version (``torch 2.3.0+cu118``):
  https://pytorch.org/get-started/previous-versions/

A wheel that says of itself what it needs is believed before this table: :mod:`penstock.environment.gpu_wheels`.
"""

from __future__ import annotations

from dataclasses import dataclass

Version = tuple[int, ...]

OLDEST_DRIVER = {13: 580, 12: 525, 11: 450, 10: 440}
"""CUDA's major version → the branch of the oldest driver that runs all its minor versions (10: that of 10.2)."""


@dataclass(frozen=True)
class BuiltFor:
    """What a wheel of PyPI was built for, from one version on."""

    since: Version
    cuda: int
    cudnn: int


ONNXRUNTIME_GPU = (
    BuiltFor((1, 27), 13, 9),
    BuiltFor((1, 19), 12, 9),
    BuiltFor((1, 7), 11, 8),
    BuiltFor((1, 2), 10, 7),
)
TORCH = (
    BuiltFor((2, 11), 13, 9),
    BuiltFor((2, 4), 12, 9),
    BuiltFor((2, 1), 12, 8),
    BuiltFor((1, 13), 11, 8),
)
"""Latest first. ``torch`` before 1.13 held its CUDA itself and did not say which."""
BY_NAME = {"onnxruntime-gpu": ONNXRUNTIME_GPU, "torch": TORCH}


def built_for(name: str, version: Version) -> BuiltFor | None:
    """The line of a wheel as PyPI has it; ``None``: the table does not know it."""
    return next((line for line in BY_NAME.get(name, ()) if version >= line.since), None)


def oldest_driver(cuda: int) -> int | None:
    """The branch of the oldest driver for a major version of CUDA; ``None``: the table does not know it."""
    return OLDEST_DRIVER.get(cuda)
