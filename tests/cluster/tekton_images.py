"""Tekton's images: one static program on nothing, or on the few things that it needs."""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.cluster import base_image
from tests.cluster.oci import Image, Registry, write_layer
from tests.cluster.settings import Settings

from penstock.foundation.errors import UsageError

RECIPE = 2
"""Raise it when images are made otherwise: those of an older one are made anew."""
HOST = "penstock.local"
"""The node takes this name for the local registry."""
NONROOT = "65532:65532"
PROGRAMS = {
    "pipeline": (
        "controller",
        "webhook",
        "events",
        "resolvers",
        "entrypoint",
        "nop",
        "workingdirinit",
        "sidecarlogresults",
    ),
    "triggers": ("controller", "webhook", "eventlistenersink", "interceptors"),
}
WITH_GIT = "pipeline/resolvers"
"""Clones repositories, and reaps what git leaves."""
SHELL = "shell"
GIT_PROGRAMS = ("/usr/bin/git", "/usr/lib/git-core/git-remote-http")
ENVIRONMENT = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/ko-app"}


@dataclass(frozen=True)
class Recipe:
    """Files of an image (path in it, file here), whether the user is root, and a tag that says what it was made of."""

    name: str
    files: tuple[tuple[str, Path], ...]
    entrypoint: tuple[str, ...]
    user: str
    tag: str


def provide(settings: Settings) -> dict[str, str]:
    """Push each image unless the registry has it; returns name (``pipeline/controller``, ``shell``) → reference."""
    registry = Registry(settings.registry)
    references = {}
    for recipe in recipes(settings):
        repository = f"tekton/{recipe.name}"
        digest = registry.digest(repository, recipe.tag)
        if digest is None:
            digest = push(settings, registry, repository, recipe)
        references[recipe.name] = f"{HOST}/{repository}@{digest}"
    return references


def push(settings: Settings, registry: Registry, repository: str, recipe: Recipe) -> str:
    """Push one image; returns its digest. Raises WorldError."""
    with tempfile.TemporaryDirectory(prefix="image-", dir=settings.state) as work:
        layer = write_layer(Path(work) / "layer.tar", recipe.files)
        image = Image((layer,), entrypoint=recipe.entrypoint, environment=ENVIRONMENT, user=recipe.user)
        return registry.push(repository, recipe.tag, image)


def recipes(settings: Settings) -> Iterator[Recipe]:
    """All images."""
    for group, names in PROGRAMS.items():
        for name in names:
            full = f"{group}/{name}"
            program = settings.binary(full)
            files = [(f"ko-app/{name}", program)]
            if full == WITH_GIT:
                files += git_files()
            yield Recipe(full, tuple(files), (f"/ko-app/{name}",), NONROOT, _tag(files))
    yield shell()


def shell() -> Recipe:
    """The image in which Tekton runs small scripts of its own, as root: busybox and its commands as links."""
    busybox = Path(_which("busybox"))
    files = [("bin/sh", busybox), ("bin/busybox", busybox)]
    return Recipe(SHELL, tuple(files), ("/bin/sh",), "0:0", _tag(files))


def git_files() -> list[tuple[str, Path]]:
    """Git, tini and the machine's certificates, with every library that they load."""
    programs = [Path(name) for name in GIT_PROGRAMS]
    for program in programs:
        if not program.is_file():
            raise UsageError(f"there is no {program}", where="cluster-up", todo="Install git.")
    libraries = sorted({library for program in programs for library in _libraries(program)})
    found = [*programs, Path("/usr/lib/git-core/git-remote-https"), *libraries]
    return [
        ("sbin/tini", Path(_which("tini-static"))),
        *((str(path).strip("/"), path.resolve()) for path in found),
        (base_image.CERTIFICATES, base_image.trusted()),
    ]


def _libraries(program: Path) -> list[Path]:
    said = subprocess.run(["ldd", str(program)], capture_output=True, text=True, check=True).stdout
    return [Path(name) for name in re.findall(r"(?:=> |^\s*)(/\S+)", said, re.MULTILINE)]


def _tag(files: list[tuple[str, Path]]) -> str:
    """A tag that changes when a file does: by size and time, as reading them all would take a second each time."""
    about = [(name, str(path), path.stat().st_size, path.stat().st_mtime_ns) for name, path in files]
    return hashlib.sha256(f"{RECIPE}\n{about}".encode()).hexdigest()[:16]


def _which(program: str) -> str:
    found = shutil.which(program)
    if found is None:
        raise UsageError(f"there is no '{program}'", where="cluster-up", todo="Install busybox-static and tini.")
    return found
