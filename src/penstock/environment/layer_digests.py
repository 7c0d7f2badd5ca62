"""Digests of files of an image that are looked for: its layers laid over each other, each read once as a tar."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from penstock.environment.layer_files import is_gone
from penstock.environment.layer_tar import layer_entries, opened_layer, taken_out

NO_FILE = ""
"""In place of a digest: a link or a device lies there, or something that is no folder lies above it."""
REMOVED = "removed"
"""In place of a digest: a layer had the file, and a later one takes it out."""


@dataclass
class _Layer:
    found: dict[str, str] = field(default_factory=dict)
    removed: set[str] = field(default_factory=set)
    emptied: set[str] = field(default_factory=set)


def file_digests(layers: Iterable[Path], wanted: Collection[str]) -> dict[str, str]:
    """What an image has at paths.

    Args:
        layers: their files (tars, or packed with gzip or zstd), the lowest first.
        wanted: paths without a leading ``/``.

    Returns:
        path → SHA-256 of its content, :data:`NO_FILE` or :data:`REMOVED`; what no layer has is left out.

    Raises:
        UnreadableLayerError: a layer is no tar that can be read.
    """
    paths = frozenset(wanted)
    above = _folders_above(paths)
    state: dict[str, str] = {}
    for file in layers:
        layer = _read(file, paths, above)
        gone = layer.removed | layer.emptied
        for path in state:
            if is_gone(path, layer.removed, gone):
                state[path] = REMOVED
        state |= layer.found
    return state


def _folders_above(paths: Collection[str]) -> dict[str, list[str]]:
    """Each folder that any of the paths lies in → those of them that lie in it."""
    found: dict[str, list[str]] = {}
    for path in paths:
        folder = path.rpartition("/")[0]
        while folder:
            found.setdefault(folder, []).append(path)
            folder = folder.rpartition("/")[0]
    return found


def _read(file: Path, wanted: frozenset[str], above: dict[str, list[str]]) -> _Layer:
    layer = _Layer()
    links: dict[str, str] = {}
    """Hard link → the path that it is the same file as, which may stand anywhere before it in the same layer."""
    kept: dict[str, str] = {}
    with opened_layer(file) as stream:
        for entry in layer_entries(stream):
            if (gone := taken_out(entry.path)) is not None:
                (layer.emptied if gone[1] else layer.removed).add(gone[0])
            elif entry.path in wanted and not entry.folder:
                digest = NO_FILE
                if entry.plain:
                    sha256 = hashlib.sha256()
                    for part in stream.content(entry.size):
                        sha256.update(part)
                    digest = sha256.hexdigest()
                elif entry.link:
                    links[entry.path] = entry.link
                layer.found[entry.path] = kept[entry.path] = digest
            elif not entry.folder and entry.path in above:
                # whatever lies below it in a container is not what these paths name
                layer.found |= dict.fromkeys(above[entry.path], NO_FILE)
    for path, target in links.items():
        layer.found[path] = kept.get(target, NO_FILE)
    return layer
