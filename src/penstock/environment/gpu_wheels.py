"""Which CUDA and cuDNN the wheels for a GPU were built for: what they say themselves, else the table."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from penstock.environment.cuda_table import BY_NAME, BuiltFor, built_for
from penstock.environment.wheels import Wheel, normal_name, release_of

LOCAL = re.compile(r"\+cu(\d{2,3})\b")
BUILD_INFO = re.compile(r"^cuda_version\s*=\s*['\"](\d{1,3})(?:\.\d{1,3})*['\"]", re.MULTILINE)
"""``onnxruntime/capi/build_and_package_info.py``."""
TABLE = "Penstock's table"
"""Evidence that is not the wheel's own."""
_SUFFIX = re.compile(r"-cu(\d{2})\Z")
_RUNTIME = re.compile(r"nvidia-cuda-runtime(?:-cu\d{2})?|cuda-toolkit")
_CUDNN = re.compile(r"nvidia-cudnn(?:-cu\d{2})?")


@dataclass(frozen=True)
class GpuWheel:
    """A wheel for a GPU, and what it needs beside it."""

    wheel: Wheel
    cuda: int
    cudnn: int | None
    """``None``: not known."""
    evidence: str
    """Where that was read, for people."""


def gpu_wheels(wheels: Iterable[Wheel], build_info: str = "") -> tuple[list[GpuWheel], list[Wheel]]:
    """The wheels for a GPU among those that are there.

    Args:
        wheels: all of them.
        build_info: what ``onnxruntime`` says of its own build; empty: it is not known.

    Returns:
        Those of which it is known what they need, and those of which it is not.
    """
    known: list[GpuWheel] = []
    unknown: list[Wheel] = []
    for wheel in wheels:
        if wheel.name not in BY_NAME or "+cpu" in wheel.version or "+rocm" in wheel.version or "+xpu" in wheel.version:
            continue
        found = _need(wheel, build_info)
        if found is not None:
            known.append(found)
        elif not (wheel.name == "torch" and wheel.folder):  # one that asks for no CUDA is one for a CPU
            unknown.append(wheel)
    return known, unknown


def _need(wheel: Wheel, build_info: str) -> GpuWheel | None:
    line = built_for(wheel.name, release_of(wheel.version))
    cudnn = max((_major(each.version) for each in wheel.requires if _CUDNN.fullmatch(each.name)), default=0)
    if local := LOCAL.search(wheel.version):
        # a wheel of PyTorch's own index: cu92, cu118, cu130
        return GpuWheel(wheel, int(local[1][:-1]), cudnn or None, "its version")
    if wheel.name == "onnxruntime-gpu" and (said := BUILD_INFO.search(build_info)):
        cuda = int(said[1])
        return GpuWheel(wheel, cuda, cudnn or _cudnn_of(line, cuda), "its build_and_package_info.py")
    for each in wheel.requires:
        if _RUNTIME.fullmatch(each.name):
            suffix = _SUFFIX.search(each.name)
            cuda = _major(each.version) or (int(suffix[1]) if suffix else 0)
            if cuda:
                return GpuWheel(wheel, cuda, cudnn or _cudnn_of(line, cuda), f"its metadata asks for {each.name}")
    # torch of PyPI pins CUDA's wheels where it has any: installed without them, it is one for a CPU
    if line is None or (wheel.name == "torch" and wheel.folder):
        return None
    return GpuWheel(wheel, line.cuda, line.cudnn, TABLE)


def _cudnn_of(line: BuiltFor | None, cuda: int) -> int | None:
    """The table's cuDNN, where the wheel has the table's CUDA."""
    return line.cudnn if line is not None and line.cuda == cuda else None


def _major(version: str) -> int:
    numbers = release_of(version)
    return numbers[0] if numbers else 0


def brought_along(names: Iterable[str]) -> tuple[set[int], set[int]]:
    """CUDA's and cuDNN's major versions that packages bring which a recipe names: ``nvidia-cudnn-cu12==9.1.0.70``.

    Args:
        names: ``NAME`` or ``NAME==VERSION``.

    Returns:
        CUDA's, and cuDNN's.
    """
    cuda: set[int] = set()
    cudnn: set[int] = set()
    for text in names:
        name, _, version = text.partition("==")
        name = normal_name(name)
        suffix = _SUFFIX.search(name)
        if _CUDNN.fullmatch(name) and _major(version):
            cudnn.add(_major(version))
        elif _RUNTIME.fullmatch(name) and (major := int(suffix[1]) if suffix else _major(version)):
            cuda.add(major)
    return cuda, cudnn
