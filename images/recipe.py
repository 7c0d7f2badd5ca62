"""Which images there are, and a key for each: equal keys, equal images, so that none is made twice."""

from __future__ import annotations

import fnmatch
import hashlib
import json
import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from penstock import __version__
from penstock.foundation.errors import UsageError

ROOT = Path(__file__).parents[1]
DEFAULT_BASE = "docker.io/library/python:3.11-slim"
SHARED = "base"
"""The folder of the images that others stand on: ``Containerfile``, and ``Containerfile.NAME`` on top of it."""
NOT_COPIED = ("__pycache__", "*.egg-info", "*.pyc")
"""As in ``.containerignore``."""
_COPY = re.compile(r"^COPY +(?!--from)(?:--\S+ +)*(.+) +\S+$", re.MULTILINE)
_ENTRYPOINT = re.compile(r"^ENTRYPOINT (\[.*\])$", re.MULTILINE)
_ON = re.compile(r"^ARG ([A-Z]+)=penstock\.local/([a-z]+):", re.MULTILINE)


@dataclass(frozen=True)
class Recipe:
    """One image and the file that it is made from."""

    name: str
    containerfile: Path
    root: Path = ROOT

    @cached_property
    def text(self) -> str:
        """The Containerfile."""
        return self.containerfile.read_text(encoding="utf-8")

    @property
    def stands_on(self) -> dict[str, str]:
        """Build argument → which image of ours it names. Empty for ``base``, which stands on Python's."""
        return dict(_ON.findall(self.text))

    @property
    def is_shared(self) -> bool:
        """Whether others stand on it, and nothing runs it."""
        return self.containerfile.parent.name == SHARED

    @property
    def is_step(self) -> bool:
        """Whether a Task runs it."""
        return not self.is_shared and not self.is_service

    @property
    def is_service(self) -> bool:
        """Whether a Deployment runs it: its program is ``penstock NAME``, which an engineer has as well."""
        return self.program[:1] == ("penstock",)

    @property
    def program(self) -> tuple[str, ...]:
        """What it starts, with the arguments that come first; empty: nothing."""
        found = _ENTRYPOINT.findall(self.text)
        return tuple(json.loads(found[-1])) if found else ()

    def sources(self) -> list[str]:
        """Files and folders of the repository that the Containerfile copies."""
        return sorted({name for match in _COPY.finditer(self.text) for name in match[1].split()})

    def key(self, parents: list[str]) -> str:
        """12 hex digits over all that the image is made of; ``parents``: the keys of what it stands on."""
        digest = hashlib.sha256()
        for part in (self.name, *parents, self.text):
            digest.update(f"{part}\0".encode())
        for source in self.sources():
            for path in copied(self.root, self.root / source):
                relative, mode = path.relative_to(self.root).as_posix(), path.stat().st_mode & 0o111
                content = hashlib.sha256(path.read_bytes()).hexdigest()
                digest.update(f"{relative}\0{mode:o}\0{content}\n".encode())
        return digest.hexdigest()[:12]


def copied(root: Path, source: Path) -> list[Path]:
    """The regular files of a ``COPY``, sorted.

    Raises:
        UsageError: there is no such file.
    """
    if not source.exists():
        raise UsageError("a Containerfile copies what is not there", where=str(source.relative_to(root)))
    found = [source] if source.is_file() else sorted(path for path in source.rglob("*") if path.is_file())
    return [path for path in found if not _ignored(path.relative_to(root))]


def _ignored(path: Path) -> bool:
    return any(fnmatch.fnmatch(part, pattern) for part in path.parts for pattern in NOT_COPIED)


def recipes(root: Path = ROOT) -> dict[str, Recipe]:
    """All images by name, every one after those that it stands on."""
    found = {}
    for path in sorted(root.glob("images/*/Containerfile*")):
        name = path.suffix.removeprefix(".") or path.parent.name
        found[name] = Recipe(name, path, root)
    return {name: found[name] for name in sorted(found, key=lambda name: (_depth(name, found), name))}


def _depth(name: str, found: dict[str, Recipe]) -> int:
    return 1 + max((_depth(parent, found) for parent in found[name].stands_on.values()), default=0)


def keys(recipes: dict[str, Recipe], base: str) -> dict[str, str]:
    """The key of every image, over ``base``: the id of the image that ours stand on."""
    found: dict[str, str] = {}
    for name, recipe in recipes.items():
        found[name] = recipe.key([found[parent] for parent in recipe.stands_on.values()] or [base])
    return found


def tag(key: str) -> str:
    """The tag under which an image is pushed: the version for people, the key for the next ``make images``."""
    return f"{__version__}-{key}"
