"""What is known of images by their names, where no image is built and none is fetched."""

from __future__ import annotations

import re
from dataclasses import dataclass, field


@dataclass(frozen=True)
class BaseImage:
    """What a name says."""

    name: str
    known: bool = False
    """Whether the rest is more than ignorance."""
    cuda: str = ""
    """``11.8.0``; of a known one empty: it has none."""
    cudnn: int = 0
    python: str = ""
    torch: str = ""
    """The version that it has: ``2.3.0+cu121``."""
    environment: dict[str, str] = field(default_factory=dict)
    user: str = ""


_TAG = re.compile(r"(?:docker\.io/)?(?:library/)?(?P<name>[^:@]+)(?::(?P<tag>[^@]+))?(?:@sha256:[0-9a-f]{64})?")
_CUDA = re.compile(r"(\d{1,2}\.\d{1,2}(?:\.\d{1,2})?)(?:-(cudnn)(\d{0,2}))?-")
_PYTORCH = re.compile(r"(\d{1,3}(?:\.\d{1,3}){1,2})-cuda(\d{1,2})\.(\d{1,2})-cudnn(\d{1,2})-")
_PYTHON = re.compile(r"(3\.\d{1,2})(?:\.\d+)?(?:-|\Z)")
NOTHING = ("debian", "ubuntu", "alpine", "python", "scratch", "busybox", "fedora", "rockylinux", "almalinux")
"""Images without CUDA, which run as root."""
CUDNN_FROM = ((12, 4, 9), (11, 0, 8))
"""``nvidia/cuda:12.6.3-cudnn-…`` names no version: that of the year. From CUDA 12.4 on it is 9."""


def base_image(reference: str) -> BaseImage:
    """What the name of an image tells: those of NVIDIA's CUDA, of PyTorch, of Python, and the plain distributions."""
    found = _TAG.fullmatch(reference)
    if found is None:
        return BaseImage(reference)
    name, tag = found["name"], found["tag"] or ""
    if name in ("nvidia/cuda", "nvcr.io/nvidia/cuda"):
        cuda = _CUDA.match(tag)
        return BaseImage(reference, True, cuda[1], _cudnn(cuda)) if cuda else BaseImage(reference)
    if name == "pytorch/pytorch":
        with_torch = _PYTORCH.match(tag)
        if with_torch is None:
            return BaseImage(reference)
        version, major, minor, cudnn = with_torch.groups()
        return BaseImage(reference, True, f"{major}.{minor}", int(cudnn), torch=f"{version}+cu{major}{minor}")
    if name == "python":
        python = _PYTHON.match(tag)
        # the official image sets it
        return BaseImage(reference, True, python=python[1] if python else "", environment={"LANG": "C.UTF-8"})
    return BaseImage(reference, name in NOTHING)


def _cudnn(found: re.Match[str]) -> int:
    if not found[2]:
        return 0
    if found[3]:
        return int(found[3])
    major, minor = (int(number) for number in found[1].split(".")[:2])
    return next((cudnn for least, least_minor, cudnn in CUDNN_FROM if (major, minor) >= (least, least_minor)), 0)
