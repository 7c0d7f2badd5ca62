"""The OCI registry on the node: Debian's docker-registry, plain HTTP, deletes allowed."""

from __future__ import annotations

import shutil
from pathlib import Path

import yaml
from tests.cluster import process
from tests.cluster.oci import Registry
from tests.cluster.settings import Settings

from penstock.foundation.errors import PenstockError
from penstock.foundation.files import write_text

NAME = "registry"
MAX_STORAGE_BYTES = 10 << 30
"""More than that is not kept for the next cluster: models are built into it again and again."""


def start(settings: Settings) -> None:
    """Start the registry; what it holds outlives the cluster, in the cache."""
    if not process.is_running(settings, NAME) and _size(storage(settings)) > MAX_STORAGE_BYTES:
        shutil.rmtree(storage(settings))
    process.start(settings, part(settings))
    write_mirrors(settings)


def part(settings: Settings) -> process.Part:
    """The registry's process."""
    storage(settings).mkdir(parents=True, exist_ok=True)
    config = settings.state / "registry.yaml"
    write_text(config, yaml.safe_dump(configuration(settings), sort_keys=False))
    return process.Part(
        name=NAME,
        argv=["docker-registry", "serve", config],
        env={"OTEL_TRACES_EXPORTER": "none"},
        ready=lambda: answers(settings),
    )


def storage(settings: Settings) -> Path:
    """Where the images lie."""
    return settings.cache / "cluster" / "registry"


def mirrors(settings: Settings) -> Path:
    """A ``registries.conf`` for builders outside the cluster, which find the same images as the node does."""
    return settings.state / "registries.conf"


def configuration(settings: Settings) -> dict[str, object]:
    """The content of the registry's configuration file."""
    return {
        "version": 0.1,
        "log": {"level": "warn", "accesslog": {"disabled": True}},
        "storage": {"filesystem": {"rootdirectory": str(storage(settings))}, "delete": {"enabled": True}},
        "http": {"addr": settings.registry, "secret": "one node, one registry: nobody else has to know it"},
    }


def write_mirrors(settings: Settings) -> None:
    """Write :func:`mirrors`."""
    lines = ['unqualified-search-registries = ["docker.io"]']
    for prefix in ("docker.io", "penstock.local", settings.registry):
        lines += ["", "[[registry]]", f'prefix = "{prefix}"', f'location = "{settings.registry}"', "insecure = true"]
    write_text(mirrors(settings), "\n".join(lines) + "\n")


def answers(settings: Settings) -> bool:
    """Whether the registry answers."""
    try:
        Registry(settings.registry).digest("is/anybody", "there")
    except PenstockError:
        return False
    return True


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
