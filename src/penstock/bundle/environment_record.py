"""``environment.json``: what the model's image was built with, and what of it does not fit together."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from penstock.bundle.directory import Bundle, read_model, write_model
from penstock.bundle.models import SCHEMA_VERSION
from penstock.bundle.record import Record

RECORD = "environment.json"
MAX_FINDINGS = 100
Severity = Literal["error", "warning"]
EnvironmentFault = Literal["cuda", "driver", "python", "locale", "user", "healthcheck", "network", "weights", "twice"]
"""``cuda``: CUDA or cuDNN of another major version than a wheel was built for; ``driver``: too old for a wheel;
``python``: wheels for another Python, processor or C library; ``locale``: file names that are not ASCII cannot be
named; ``user``: it runs as root; ``healthcheck``: the recipe has none; ``network``: the model needs one; ``weights``: a
variable names a file of weights that is not there; ``twice``: two packages write the same module."""


class EnvironmentFinding(Record):
    """One thing that does not fit."""

    kind: EnvironmentFault
    severity: Severity
    """``error``: it cannot work as it is; ``warning``: it works here, and need not elsewhere."""
    what: str
    todo: str = ""


class LayerRecord(Record):
    """One layer of the image."""

    digest: str
    bytes: int
    """As it is fetched: compressed."""
    made_by: str = ""
    """The line of the recipe, as the image's history has it."""


class DriverNeed(Record):
    """The oldest NVIDIA driver that a wheel can run on."""

    wheel: str
    """``torch 2.6.0``."""
    cuda: int
    driver: int
    """The driver's branch: 525 is 525.xx."""


class EnvironmentRecord(Record):
    """The outcome."""

    schema_version: int = SCHEMA_VERSION
    read: Literal["image", "recipe"]
    """``image``: the layers and the configuration of the image that was built; ``recipe``: where none is built, the
    Containerfile and the requirements that it installs."""
    image: str = ""
    """Its digest."""
    unreadable: str | None = None
    """Why the image could not be read: nothing is known of it then."""
    python: list[str] = Field(default_factory=list)
    """``3.11``: the interpreters that it has."""
    packages: dict[str, str] = Field(default_factory=dict)
    """Name of a Python package → its version; from a recipe, those that are named with a version."""
    cuda: list[str] = Field(default_factory=list)
    """CUDA's versions, each with where that was read."""
    cudnn: list[str] = Field(default_factory=list)
    locale: str = ""
    """``LANG=C.UTF-8``, as the image's own environment has it; empty: it sets none."""
    user: str = ""
    """Empty: root."""
    healthcheck: str = ""
    """From the recipe: OCI images do not hold it."""
    layers: list[LayerRecord] = Field(default_factory=list)
    """From the first one."""
    needs: list[DriverNeed] = Field(default_factory=list)
    driver: str = ""
    """NVIDIA's driver where the model ran; empty: no card was seen there."""
    compat: int = 0
    """The driver's branch of a forward compatibility package in the image; 0: it has none."""
    findings: list[EnvironmentFinding] = Field(default_factory=list)
    """The first hundred, errors first."""
    not_judged: list[str] = Field(default_factory=list)
    """What nothing was said of, and why."""

    @property
    def errors(self) -> list[EnvironmentFinding]:
        """What stops a release that has a rule for it."""
        return [found for found in self.findings if found.severity == "error"]

    @property
    def warnings(self) -> list[EnvironmentFinding]:
        """What need not."""
        return [found for found in self.findings if found.severity == "warning"]


def in_one_line(findings: list[EnvironmentFinding]) -> str | None:
    """The first of them, and how many more there are; ``None``: there is none."""
    if not findings:
        return None
    more = f", and {len(findings) - 1} more" if len(findings) > 1 else ""
    return f"{findings[0].what}{more}"


def write_environment_record(bundle: Bundle, record: EnvironmentRecord) -> None:
    """Write it."""
    write_model(bundle.path / RECORD, record)


def environment_record(bundle: Bundle) -> EnvironmentRecord | None:
    """Read it; ``None`` where nothing was looked at, as in bundles of older versions."""
    path = bundle.path / RECORD
    return read_model(path, EnvironmentRecord) if path.exists() else None
