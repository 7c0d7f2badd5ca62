"""What is known of an environment before it is judged, whether an image was read or a recipe."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from penstock.bundle.environment_record import LayerRecord
from penstock.environment.debian import DebianPackage, Distribution
from penstock.environment.wheels import Version, Wheel


@dataclass(frozen=True)
class FoundVersion:
    """A version of CUDA or cuDNN that is there."""

    version: str
    """``11.8.0``, or the major version alone."""
    where: str
    """``usr/local/cuda-11.8/lib64/libcudart.so.11.0``."""

    @property
    def major(self) -> int:
        """``11``."""
        return int(self.version.partition(".")[0])

    def __str__(self) -> str:
        return f"{self.version} ({self.where})"


@dataclass(frozen=True)
class EnvironmentFacts:
    """Of one image. ``None`` is what is not known, which is another thing than what is not there."""

    read: Literal["image", "recipe"]
    wheels: list[Wheel]
    """Python packages: those that are installed, or those that are named with a version."""
    unpinned: list[str] = field(default_factory=list)
    """Packages that are named without one."""
    unread: list[str] = field(default_factory=list)
    """Files of requirements that are named and not there."""
    build_info: str = ""
    """What ``onnxruntime`` says of its build."""
    pythons: list[Version] | None = None
    processor: str = ""
    """``x86_64``; empty: not known."""
    musl: bool | None = None
    cudart: list[FoundVersion] | None = None
    cublas: list[FoundVersion] | None = None
    cudnn: list[FoundVersion] | None = None
    compat: int = 0
    """Branch of the forward compatibility package's driver."""
    environment: Mapping[str, str] | None = None
    user: str | None = None
    healthcheck: str | None = None
    layers: list[LayerRecord] = field(default_factory=list)
    digest: str = ""
    distribution: Distribution | None = None
    """Whose system the image has, where it says."""
    system_packages: list[DebianPackage] = field(default_factory=list)
    """Debian's; of other systems none are read."""
    other_index: bool = False
    """Packages come from another index than PyPI, so that the table need not hold for them."""
