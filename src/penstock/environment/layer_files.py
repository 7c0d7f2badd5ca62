"""What of one layer is worth keeping, and layers laid over each other."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from pydantic import Field

from penstock.bundle.models import SCHEMA_VERSION
from penstock.bundle.record import Record
from penstock.environment.debian import MAX_STATUS_BYTES, OS_RELEASE, STATUS, shortened_status
from penstock.environment.layer_tar import LayerStream, UnreadableLayerError, layer_entries, opened_layer, taken_out

MAX_KEPT = 50_000
"""Paths of a layer that are kept."""
MAX_CONTENTS_BYTES = 8 << 20
"""Of all files of a layer together; 400 packages have one."""

DISTRIBUTION = re.compile(r"(?:^|/)(?:site|dist)-packages/[^/]{1,200}\.dist-info/(?:METADATA|WHEEL)\Z")
BUILD_INFO = re.compile(r"(?:^|/)(?:site|dist)-packages/onnxruntime/capi/build_and_package_info\.py\Z")
CUDA_VERSION = re.compile(r"^usr/local/cuda[^/]{0,40}/version\.json\Z")
CONTENTS = (DISTRIBUTION, BUILD_INFO, CUDA_VERSION, OS_RELEASE)
"""Files whose beginning is kept."""
LIBRARY = re.compile(r"(?:^|/)lib(cudart|cublas|cudnn)(?:-[0-9a-f]{1,64})?\.so\.(\d{1,3})(?:\.\d{1,6}){0,4}\Z")
COMPAT = re.compile(r"(?:^|/)compat/libcuda\.so\.(\d{3,4})\.\d")
PYTHON = re.compile(r"(?:^|/)bin/python(3\.\d{1,2})\Z")
MUSL = re.compile(r"^(?:usr/)?lib/ld-musl-[a-z0-9_]{1,40}\.so\.1\Z")
GNU = re.compile(r"^(?:usr/)?lib(?:64|/[a-z0-9_-]{1,40})?/ld-linux[a-z0-9_-]{0,40}\.so\.[12]\Z")
NAMES = (LIBRARY, COMPAT, PYTHON, MUSL, GNU)
"""Files and links whose names alone tell."""


class LayerFiles(Record):
    """One layer, as far as it matters."""

    schema_version: int = SCHEMA_VERSION
    names: list[str] = Field(default_factory=list)
    """Paths of files and links of :data:`NAMES`, without a leading ``/``."""
    contents: dict[str, str] = Field(default_factory=dict)
    """Path of a file of :data:`CONTENTS` → its beginning; of dpkg's status → its packages, one a line."""
    removed: list[str] = Field(default_factory=list)
    """Paths that it takes out of the layers below, each with all that lies below it; ``""`` is everything."""
    emptied: list[str] = Field(default_factory=list)
    """Folders of which it takes out what the layers below have in them."""


def read_layer(path: Path) -> LayerFiles:
    """Read a layer from a file: a tar, or one that is packed with gzip or zstd.

    Raises:
        UnreadableLayerError: it is neither, is broken off, or goes over a limit; ``what`` says which.
    """
    with opened_layer(path) as stream:
        return _read(stream)


@dataclass(frozen=True)
class MergedFiles:
    """What a container of the image sees, as far as it matters."""

    names: frozenset[str]
    contents: dict[str, str]


def merge(layers: Iterable[LayerFiles]) -> MergedFiles:
    """Lay layers over each other, the lowest first."""
    names: set[str] = set()
    contents: dict[str, str] = {}
    for layer in layers:
        if gone := {*layer.removed, *layer.emptied}:
            whole = set(layer.removed)
            names = {path for path in names if not is_gone(path, whole, gone)}
            contents = {path: text for path, text in contents.items() if not is_gone(path, whole, gone)}
        names |= set(layer.names)
        contents |= layer.contents
    return MergedFiles(frozenset(names), contents)


def is_gone(path: str, whole: set[str], gone: set[str]) -> bool:
    """Whether a layer takes out a path of the layers below.

    Args:
        path: of a file.
        whole: paths that it takes out, each with all that lies below it.
        gone: these, and the folders that it empties.
    """
    above = path
    while above:
        above = above.rpartition("/")[0]
        if above in gone:
            return True
    return path in whole


def _read(stream: LayerStream) -> LayerFiles:
    names: list[str] = []
    contents: dict[str, str] = {}
    removed: list[str] = []
    emptied: list[str] = []
    kept = 0
    for entry in layer_entries(stream):
        if (gone := taken_out(entry.path)) is not None:
            (emptied if gone[1] else removed).append(gone[0])
        elif not entry.folder and any(pattern.search(entry.path) for pattern in NAMES):
            names.append(entry.path)
        text = None
        if entry.plain and any(pattern.search(entry.path) for pattern in CONTENTS):
            text = _headers(stream.begin(entry.size).decode("utf-8", "replace"))
        elif entry.plain and STATUS.search(entry.path):
            text = shortened_status(stream.begin(entry.size, MAX_STATUS_BYTES).decode("utf-8", "replace"))
        if text is not None:
            kept += len(text)
            contents[entry.path] = text
        if len(names) + len(contents) + len(removed) + len(emptied) > MAX_KEPT or kept > MAX_CONTENTS_BYTES:
            raise UnreadableLayerError("it has more packages and libraries than any image")
        stream.skip_rest()
    return LayerFiles(names=names, contents=contents, removed=removed, emptied=emptied)


def _headers(text: str) -> str:
    """A text as far as its first empty line: what METADATA says further down is prose."""
    return text.replace("\r\n", "\n").partition("\n\n")[0]
