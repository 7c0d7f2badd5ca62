"""A suite as an OCI artifact: its manifest, and unpacking its layers, which a stranger made."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from penstock.environment.layer_tar import (
    ZSTD,
    LayerEntry,
    LayerStream,
    UnreadableLayerError,
    layer_entries,
    opened_layer,
    taken_out,
)
from penstock.foundation.errors import UsageError
from penstock.foundation.files import disk_errors
from penstock.foundation.strict_json import JsonError, read_json
from penstock.sources.fetch import copy_with_digest
from penstock.suites.suite_files import MAX_BYTES, MAX_FILES, check_path

MAX_LAYERS: Final = 1000
TITLE: Final = "org.opencontainers.image.title"
"""Annotation of a layer that is one file, or of a folder that ``oras push`` has packed: its name."""
UNPACK: Final = "io.deis.oras.content.unpack"
"""Annotation with which oras says that a layer with a title is a packed folder."""
_TAR: Final = re.compile(r"\.tar(\+gzip|\.gzip|\+zstd)?$")
_DIGEST: Final = re.compile(r"sha256:([0-9a-f]{64})")


@dataclass(frozen=True)
class Layer:
    """One layer of the artifact."""

    digest: str
    """SHA-256, without its name."""
    size: int
    file: str
    """The name of the one file that it is; empty: it is a tar."""


def layers_of(manifest: bytes, *, where: str) -> list[Layer]:
    """The layers of an artifact, by its manifest.

    Raises:
        UsageError: it is no manifest of an artifact, or a layer is neither a tar nor a file with a name, or it is too
            large.
    """
    try:
        value = read_json(manifest)
    except JsonError:
        value = None
    if not isinstance(value, dict) or not isinstance(value.get("layers"), list):
        index = isinstance(value, dict) and "manifests" in value
        what = "this is an index of several artifacts" if index else "this is no manifest of an OCI artifact"
        raise UsageError(what, where=where, todo="Name the digest of the one manifest that holds the suite.")
    if len(value["layers"]) > MAX_LAYERS:
        raise UsageError(f"the artifact has more than {MAX_LAYERS} layers", where=where, todo="Pack the folder.")
    layers = [_layer(layer, where) for layer in value["layers"]]
    if sum(layer.size for layer in layers) > MAX_BYTES:
        raise UsageError(f"the artifact is larger than {MAX_BYTES >> 30} GiB", where=where)
    return layers


def _layer(value: Any, where: str) -> Layer:
    try:
        digest, size, kind = _DIGEST.fullmatch(value["digest"]), value["size"], str(value["mediaType"])
        notes = value.get("annotations") or {}
        title, packed = str(notes.get(TITLE, "")), notes.get(UNPACK) == "true"
    except (TypeError, KeyError, AttributeError):
        digest, size, kind, title, packed = None, 0, "", "", False
    if digest is None or not isinstance(size, int) or size < 0:
        raise UsageError("a layer of the artifact has no SHA-256 or no size", where=where)
    if title and not packed:
        check_path(title, where=where)
        return Layer(digest[1], size, title)
    if not _TAR.search(kind):
        raise UsageError(
            f"a layer is neither a tar nor a file with a name: {kind[:100]}",
            where=where,
            todo="Push the folder with `penstock suite push` or `oras push`.",
        )
    return Layer(digest[1], size, "")


class Unpacked:
    """What has come out of the layers so far, into an empty folder."""

    def __init__(self, folder: Path, where: str) -> None:
        self._folder = folder
        self._where = where
        self._files = 0
        self._bytes = 0

    def add(self, layer: Layer, blob: Path) -> None:
        """Put a layer's files into the folder.

        Args:
            layer: what the manifest says of it.
            blob: its bytes, whose digest has been verified.

        Raises:
            UsageError: it is no tar, or holds a link, a device, a path that leaves the suite or is there already, or
                too much.
        """
        if layer.file:
            self._count(layer.size)
            copy_with_digest(blob, self._target(layer.file))
            return
        with blob.open("rb") as file:
            if file.read(len(ZSTD)) == ZSTD:
                todo = "Pack it with gzip."
                raise UsageError("a layer of the artifact is packed with zstd", where=self._where, todo=todo)
        try:
            with opened_layer(blob) as stream:
                for entry in layer_entries(stream):
                    if not entry.folder:
                        self._write(entry, stream)
        except UnreadableLayerError as error:
            raise UsageError(f"a layer of the artifact: {error.what}", where=self._where) from None

    def _write(self, entry: LayerEntry, stream: LayerStream) -> None:
        if taken_out(entry.path) is not None:
            raise UsageError("a layer takes away what another one holds", where=self._where, todo="Push it as one.")
        if not entry.plain or not entry.path:
            what = f"'{entry.path[:200]}' is a link or a device, or leaves the suite"
            raise UsageError(what, where=self._where, todo="Pack plain files only.")
        check_path(entry.path, where=self._where)
        self._count(entry.size)
        target = self._target(entry.path)
        with disk_errors(target), target.open("xb") as out:
            for part in stream.content(entry.size):
                out.write(part)

    def _count(self, size: int) -> None:
        self._files, self._bytes = self._files + 1, self._bytes + size
        if self._files > MAX_FILES or self._bytes > MAX_BYTES:
            what = f"the suite has more than {MAX_FILES:,} files or {MAX_BYTES >> 30} GiB"
            raise UsageError(what, where=self._where)

    def _target(self, path: str) -> Path:
        """Below the folder, where nothing but our own files and folders are: no link can stand on the way."""
        target = self._folder / path
        try:
            with disk_errors(target):
                target.parent.mkdir(parents=True, exist_ok=True)
        except (FileExistsError, NotADirectoryError):
            raise UsageError(f"'{path[:200]}' is a file and a folder", where=self._where) from None
        if target.exists():
            raise UsageError(f"'{path[:200]}' is there twice", where=self._where, todo="Pack each file once.")
        return target
