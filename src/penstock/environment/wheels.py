"""What an installed wheel says of itself (METADATA, WHEEL), and whether a Python can import it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from penstock.environment.licences import spdx_expression
from penstock.foundation.errors import one_line

Version = tuple[int, ...]
MAX_REQUIREMENTS = 500
MAX_TAGS = 200
MAX_LICENCES = 5
MAX_LICENCE = 200
"""Characters of a licence: some packages have its whole text there."""
_CLASSIFIER = "License :: "
_DIGITS = re.compile(r"\d+")
_RELEASE = re.compile(r"v?(?:\d{1,9}!)?(\d{1,9}(?:\.\d{1,9}){0,9})")
_CLAUSE = re.compile(r"(===|~=|==|!=|<=|>=|<|>)\s*(\d{1,9}(?:\.\d{1,9}){0,9})(\.\*)?")
_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,198}[A-Za-z0-9])?")
_PYTHON_TAG = re.compile(r"(py|cp)(\d)(\d{0,2})")
_PLATFORM = re.compile(r"(linux|manylinux\w*?|musllinux\w*?)_(x86_64|aarch64|i686|armv7l|ppc64le|s390x|riscv64)")
PROCESSORS = {"amd64": "x86_64", "arm64": "aarch64", "386": "i686", "ppc64le": "ppc64le", "s390x": "s390x"}
"""What an image calls its processor → what a wheel does."""


def normal_name(name: str) -> str:
    """A distribution's name as an index has it: ``nvidia-cuda-runtime-cu12``."""
    return re.sub(r"[-_.]+", "-", name).lower()


def release_of(version: str) -> Version:
    """The numbers of a version: ``2.6.0+cu124`` is ``(2, 6, 0)``; empty where it has none."""
    found = _RELEASE.match(version.strip())
    return tuple(map(int, found[1].split("."))) if found else ()


@dataclass(frozen=True)
class Requirement:
    """One line of ``Requires-Dist``."""

    name: str
    version: str
    """The first number that it names, ``12.4.127``; empty: any."""
    marker: str

    @property
    def extra(self) -> bool:
        """Whether only an extra asks for it."""
        return "extra" in self.marker


@dataclass(frozen=True)
class Wheel:
    """One distribution that is installed, or that a requirement names."""

    name: str
    version: str
    requires: tuple[Requirement, ...] = ()
    requires_python: str = ""
    tags: tuple[str, ...] = ()
    """``cp311-cp311-manylinux_2_28_x86_64``; none: it does not say."""
    folder: str = ""
    """The ``site-packages`` that it is in; empty: it is only named."""
    licence_expression: str = ""
    """``License-Expression``, as it stands there: not checked."""
    licence_names: tuple[str, ...] = ()
    """The licences of its classifiers, ``MIT License``; without any, the first line of ``License``."""

    def __str__(self) -> str:
        return f"{self.name} {self.version}"


def read_requirement(line: str) -> Requirement | None:
    """``nvidia-cudnn-cu12 (==8.9.2.26) ; platform_system == "Linux"``; ``None``: it is none."""
    text, _, marker = line.partition(";")
    name = _NAME.match(text.strip())
    if name is None:
        return None
    clause = _CLAUSE.search(text)
    return Requirement(normal_name(name[0]), clause[2] if clause else "", marker.strip())


def read_wheel(metadata: str, wheel: str, folder: str) -> Wheel | None:
    """A distribution by its two files.

    Args:
        metadata: ``METADATA``, its headers at least.
        wheel: ``WHEEL``; empty: it has none.
        folder: where both are.

    Returns:
        ``None``: it has no name or no version, so that it is none.
    """
    fields = list(_fields(metadata))
    name = next((value for key, value in fields if key == "name"), "")
    version = next((value for key, value in fields if key == "version"), "")
    if not _NAME.fullmatch(name) or not version.isprintable() or not release_of(version) or len(version) > 100:
        return None
    requires = [found for key, value in fields if key == "requires-dist" and (found := read_requirement(value))]
    tags = [value for key, value in _fields(wheel) if key == "tag"]
    return Wheel(
        name=normal_name(name),
        version=version,
        requires=tuple(requires[:MAX_REQUIREMENTS]),
        requires_python=next((value for key, value in fields if key == "requires-python"), ""),
        tags=tuple(tags[:MAX_TAGS]),
        folder=folder,
        licence_expression=next((value for key, value in fields if key == "license-expression"), "")[:MAX_LICENCE],
        licence_names=tuple(_licence_names(fields)[:MAX_LICENCES]),
    )


def _licence_names(fields: Iterable[tuple[str, str]]) -> list[str]:
    classifiers = [value for key, value in fields if key == "classifier" and value.startswith(_CLASSIFIER)]
    names = [value.rpartition(" :: ")[2] for value in classifiers if not value.endswith(":: OSI Approved")]
    stated = [value for key, value in fields if key == "license" and value and value != "UNKNOWN"]
    exact = [text for text in stated if spdx_expression(text) is not None]
    return [one_line(text)[:MAX_LICENCE] for text in exact or names or stated]


def _fields(text: str) -> Iterable[tuple[str, str]]:
    """The headers, as far as the first empty line."""
    for line in text.splitlines():
        if not line:  # a line of blanks goes on with a header: some have a whole licence there
            return
        key, colon, value = line.partition(":")
        if colon and not line[0].isspace():
            yield key.strip().lower(), value.strip()


def allows(requires_python: str, python: Version) -> bool:
    """Whether ``Requires-Python`` allows an interpreter, of which major and minor version are known."""
    for operator, number, star in _CLAUSE.findall(requires_python):
        wanted = tuple(map(int, number.split(".")))
        short = wanted[:2] if len(wanted) > 1 else (wanted[0], 0)
        # of 3.11 only that is known: a patch version that is asked for counts as fulfilled
        if operator in (">=", "~=") and python < short:
            return False
        if operator == "~=" and python[: len(wanted) - 1] != wanted[: len(wanted) - 1][: len(python)]:
            return False
        if operator == ">" and python < short:
            return False
        if operator == "<" and (python >= wanted if len(wanted) <= 2 else python > short):
            return False
        if operator == "<=" and python > short:
            return False
        if operator in ("==", "===") and python[: len(wanted)] != wanted[: len(python)]:
            return False
        if operator == "!=" and (star or len(wanted) <= 2) and python[: len(wanted)] == wanted:
            return False
    return True


def unfit_tag(tags: Sequence[str], python: Version, processor: str, *, musl: bool | None) -> str | None:
    """Why a Python cannot import a wheel, in words; ``None``: it can, or the wheel does not say.

    Args:
        tags: of the wheel; one that fits will do.
        python: ``(3, 11)``.
        processor: ``x86_64``; empty: not known.
        musl: the image has musl in place of the GNU C library; ``None``: not known.
    """
    reasons = [_unfit(tag, python, processor, musl=musl) for tag in tags]
    return None if not reasons or None in reasons else reasons[0]


def _unfit(tag: str, python: Version, processor: str, *, musl: bool | None) -> str | None:
    interpreter, _, rest = tag.partition("-")
    binary, _, platform = rest.partition("-")
    if not _imports(interpreter, binary, python):
        return f"it is for {interpreter}, and lies in the packages of Python {'.'.join(map(str, python))}"
    if platform == "any":
        return None
    found = _PLATFORM.fullmatch(platform)
    if found is None:
        return f"it is for {platform}, and the image is Linux"
    if processor and found[2] != processor:
        return f"it is for {found[2]}, and the image is for {processor}"
    kind = found[1]
    if musl is True and kind.startswith("manylinux"):
        return "it needs the GNU C library, and the image has musl"
    if musl is False and kind.startswith("musllinux"):
        return "it needs musl, and the image has the GNU C library"
    return None


def _imports(interpreter: str, binary: str, python: Version) -> bool:
    for each in interpreter.split("."):
        found = _PYTHON_TAG.fullmatch(each)
        if found is None or int(found[2]) != python[0]:
            continue
        if not found[3]:
            return True
        minor = int(found[3])
        later = found[1] == "py" or "abi3" in binary or binary == "none"
        if minor == python[1] or (later and minor < python[1]):
            return True
    return False
