"""The packages that a recipe names: in its own lines, and in the files of requirements that these name."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from penstock.environment.recipe import Installs
from penstock.environment.wheels import Wheel, normal_name

MAX_FILES = 50
MAX_LINES = 20_000
MAX_PACKAGES = 5000
MAX_LINE = 2000
_PINNED = re.compile(
    r"([A-Za-z0-9][A-Za-z0-9._-]{0,199})\s*(?:\[([^\]]{0,500})\])?\s*(===?\s*([A-Za-z0-9][A-Za-z0-9.!+_-]{0,99})(?![\w.*]))?(.*)"
)
_OPTION = re.compile(r"(-r|--requirement|-i|--index-url|--extra-index-url|-f|--find-links)(?:\s*=\s*|\s+)(\S+)")


@dataclass
class Named:
    """What a recipe installs with pip, as far as it can be read."""

    pinned: list[Wheel] = field(default_factory=list)
    """With a version; without tags, since no wheel is there."""
    unpinned: list[str] = field(default_factory=list)
    extras: dict[str, set[str]] = field(default_factory=dict)
    """Name → its extras: ``{"onnxruntime-gpu": {"cuda", "cudnn"}}``."""
    indexes: list[str] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)
    """Files that are named and are not there."""


def named_packages(found: Installs, content: Callable[[str], str | None]) -> Named:
    """Read what ``pip install`` lines name.

    Args:
        found: from the recipe.
        content: gives a file of the repository by its name; ``None``: it is not there.
    """
    named = Named(indexes=list(found.indexes))
    waiting, seen = list(found.files), set[str]()
    for package in found.packages:
        _add(named, package)
    while waiting and len(seen) < MAX_FILES:
        file = waiting.pop(0)
        if file in seen:
            continue
        seen.add(file)
        text = content(file)
        if text is None:
            named.unread.append(file)
            continue
        for line in _lines(text):
            option = _OPTION.match(line)
            if option is None:
                _add(named, line)
            elif option[1] in ("-r", "--requirement"):
                waiting.append(_beside(file, option[2]))
            else:
                named.indexes.append(option[2])
    return named


def _lines(text: str) -> Iterator[str]:
    joined = ""
    for line in text.splitlines()[:MAX_LINES]:
        bare = re.sub(r"(^|\s)#.*", "", line).strip()
        if bare.endswith("\\"):
            joined += bare[:-1] + " "
            continue
        whole, joined = (joined + bare).strip(), ""
        if whole:
            yield whole


def _beside(file: str, other: str) -> str:
    folder = file.rpartition("/")[0]
    return f"{folder}/{other}" if folder else other


def _add(named: Named, line: str) -> None:
    package, _, marker = line[:MAX_LINE].partition(";")
    full = len(named.pinned) + len(named.unpinned) >= MAX_PACKAGES
    if full or line.startswith("-") or _not_on_linux(marker):
        return
    found = _PINNED.match(package.strip())
    if found is None or "/" in package:
        return
    name = normal_name(found[1])
    named.extras.setdefault(name, set()).update(each.strip().lower() for each in (found[2] or "").split(","))
    if found[3]:
        named.pinned.append(Wheel(name, found[4]))
    else:
        named.unpinned.append(name)


def _not_on_linux(marker: str) -> bool:
    return bool(
        re.search(
            r"(sys_platform|platform_system)\s*(==\s*['\"](win32|Windows|darwin|Darwin)|!=\s*['\"][lL]inux)", marker
        )
    )


def names_and_versions(wheels: Iterable[Wheel]) -> list[str]:
    """``NAME==VERSION`` of each."""
    return [f"{wheel.name}=={wheel.version}" for wheel in wheels]
