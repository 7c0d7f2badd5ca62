"""What the report shows of the environment that the model was built with."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from penstock.bundle.directory import Bundle
from penstock.bundle.environment_record import EnvironmentFinding, EnvironmentRecord, environment_record

MIB = 1 << 20
MAX_LAYERS = 40
"""Layers that the page names, the largest; all of them are in ``environment.json``."""
MAX_LINE = 160


@dataclass(frozen=True)
class EnvironmentSection:
    """The section, for the template."""

    read: str
    """What was looked at, in words."""
    unreadable: str | None
    errors: list[EnvironmentFinding]
    warnings: list[EnvironmentFinding]
    rows: list[tuple[str, str]]
    """What it is, and what it says."""
    layers: list[tuple[str, str]]
    """Size, and the line of the recipe that made it."""
    more_layers: int
    not_judged: list[str]


def environment_section(bundle: Bundle) -> EnvironmentSection | None:
    """The section of a bundle; ``None`` if nothing was looked at.

    Raises:
        UsageError: ``environment.json`` is broken.
    """
    record = environment_record(bundle)
    if record is None:
        return None
    largest = sorted(record.layers, key=lambda layer: -layer.bytes)
    return EnvironmentSection(
        read="the image as it was built" if record.read == "image" else "the recipe: no image was built",
        unreadable=record.unreadable,
        errors=record.errors,
        warnings=record.warnings,
        rows=list(_rows(record)),
        layers=[(f"{layer.bytes / MIB:,.1f} MiB", layer.made_by[:MAX_LINE]) for layer in largest[:MAX_LAYERS]],
        more_layers=max(0, len(largest) - MAX_LAYERS),
        not_judged=record.not_judged,
    )


def _rows(record: EnvironmentRecord) -> Iterator[tuple[str, str]]:
    if record.unreadable is not None:
        return
    if record.python:
        yield "Python", ", ".join(record.python)
    for name, found in (("CUDA", record.cuda), ("cuDNN", record.cudnn)):
        if found:
            yield name, "; ".join(found)
    for need in record.needs:
        yield need.wheel, f"built for CUDA {need.cuda}: NVIDIA's driver {need.driver} or later"
    if record.driver:
        yield "driver", record.driver
    yield "locale", record.locale or "none"
    yield "user", record.user or "root"
    yield "health check", record.healthcheck or "none"
    if record.layers:
        size = sum(layer.bytes for layer in record.layers) / MIB
        yield "size", f"{size:,.1f} MiB to fetch, in {len(record.layers)} layers"
    if record.packages:
        yield "Python packages", str(len(record.packages))
