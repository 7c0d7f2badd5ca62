"""What an image says of its system: whose distribution it is, and its Debian packages.

Anybody may have made the image: names and versions that Debian would not allow are passed over, and there
is a bound to how many are kept. The format is that of deb-control(5) and os-release(5).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

STATUS = re.compile(r"^var/lib/dpkg/status(?:\.d/[^/]{1,200})?\Z")
"""dpkg's list of packages; images without dpkg itself have a file a package in ``status.d``."""
OS_RELEASE = re.compile(r"^(?:etc|usr/lib)/os-release\Z")
MAX_STATUS_BYTES = 16 << 20
"""A status of 5,000 packages has 6 MiB; what lies behind is not read."""
MAX_PACKAGES = 10_000
_NAME = re.compile(r"[a-z0-9][a-z0-9+.-]{0,99}")
_VERSION = re.compile(r"[0-9A-Za-z][0-9A-Za-z.+:~-]{0,99}")
_ARCHITECTURE = re.compile(r"[a-z0-9][a-z0-9-]{0,29}")
_SETTING = re.compile(r"""([A-Z_]{1,40})=(["']?)([^"'\n]{0,100})\2""")
_DISTRIBUTION = re.compile(r"[a-z0-9._-]{1,40}")


@dataclass(frozen=True, order=True)
class DebianPackage:
    """A package that is installed."""

    name: str
    version: str
    architecture: str

    def __str__(self) -> str:
        return f"{self.name} {self.version} {self.architecture}"


@dataclass(frozen=True)
class Distribution:
    """``debian`` ``12``."""

    name: str
    version: str
    """Empty: it has none, as Debian's testing."""


def shortened_status(text: str) -> str:
    """What is kept of dpkg's status: ``NAME VERSION ARCHITECTURE`` of each package that is installed, one a line."""
    return "".join(f"{package}\n" for package in _installed(text))


def _installed(text: str) -> Iterator[DebianPackage]:
    fields: dict[str, str] = {}
    found = 0
    for line in (*text.split("\n"), ""):
        if line.strip():
            key, colon, value = line.partition(":")
            if colon and not line[0].isspace():
                fields.setdefault(key.lower(), value.strip())
            continue
        package = _package(fields.get("package", ""), fields.get("version", ""), fields.get("architecture", ""))
        # a file of status.d has no state: what it names is there
        if package is not None and fields.get("status", "installed").split()[-1:] == ["installed"]:
            found += 1
            if found > MAX_PACKAGES:
                return
            yield package
        fields = {}


def _package(name: str, version: str, architecture: str) -> DebianPackage | None:
    whole = _NAME.fullmatch(name) and _VERSION.fullmatch(version) and _ARCHITECTURE.fullmatch(architecture)
    return DebianPackage(name, version, architecture) if whole else None


def read_debian_packages(contents: Mapping[str, str]) -> list[DebianPackage]:
    """The packages of an image, by name; each once.

    Args:
        contents: path → text, of which dpkg's status is as :func:`shortened_status` has it.
    """
    found = set()
    for path, text in contents.items():
        if STATUS.search(path):
            for line in text.split("\n"):
                parts = line.split(" ")
                if len(parts) == 3 and (package := _package(*parts)) is not None:
                    found.add(package)
    return sorted(found)[:MAX_PACKAGES]


def read_distribution(contents: Mapping[str, str]) -> Distribution | None:
    """Whose system it is; ``None``: it does not say. ``etc`` goes before ``usr/lib``, as os-release(5) has it."""
    for path in sorted(path for path in contents if OS_RELEASE.search(path)):
        settings = {key: value for key, _, value in _SETTING.findall(contents[path])}
        name, version = settings.get("ID", ""), settings.get("VERSION_ID", "")
        if _DISTRIBUTION.fullmatch(name):
            return Distribution(name, version if _DISTRIBUTION.fullmatch(version) else "")
    return None
