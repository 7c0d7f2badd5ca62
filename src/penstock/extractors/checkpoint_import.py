"""Published PyTorch checkpoints that can become ONNX extractors, and how one does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from penstock.extractors.checkpoint import read_checkpoint
from penstock.foundation.errors import UsageError
from penstock.foundation.files import replacing, sha256_file
from penstock.foundation.references import Reference, load


@dataclass(frozen=True)
class CheckpointKind:
    """A network whose published checkpoint can be imported.

    Attributes:
        measures: what is measured through it, for people.
        builder: a function ``(checkpoint, where=…)`` → the ONNX model, whose metadata has ``penstock.name``, and
            whether the checkpoint is the published one. It needs the package onnx.
    """

    measures: str
    builder: Reference


CHECKPOINT_KINDS: Mapping[str, CheckpointKind] = {
    "syncnet": CheckpointKind("lip sync", "penstock.extractors.syncnet_onnx:from_checkpoint"),
    "inception": CheckpointKind("FID, KID", "penstock.extractors.inception_onnx:from_checkpoint"),
}
"""Name → network. A network of Penstock's own that has a published checkpoint is one line here."""


@dataclass(frozen=True)
class Imported:
    """A checkpoint that has become an extractor.

    Attributes:
        kind: one of :data:`CHECKPOINT_KINDS`.
        name: the extractor's.
        published: whether the checkpoint is the one that papers measure with.
        source_sha256: of the checkpoint.
        extractor: the label of values that are measured through it: ``name@sha256:…``.
        out: the file.
    """

    kind: str
    name: str
    published: bool
    source_sha256: str
    extractor: str
    out: str


def import_checkpoint(kind: str, file: Path, out: Path) -> Imported:
    """Turn a published checkpoint into an ONNX extractor.

    The checkpoint is read without running what is in it, compared with the architecture, and written as one ONNX file
    that records the checkpoint's SHA-256.

    Args:
        kind: one of :data:`CHECKPOINT_KINDS`.
        file: the checkpoint, as its authors publish it.
        out: the file to write.

    Raises:
        UsageError: there is no such kind, PyTorch or onnx is not installed, the file is no checkpoint of this network,
            or ``out`` is a directory or the checkpoint itself.
        WorldError: ``out`` cannot be written.
    """
    if kind not in CHECKPOINT_KINDS:
        raise UsageError(
            f"there is no kind of checkpoint '{kind[:80]}'",
            where="penstock weights import",
            todo=f"Known: {', '.join(CHECKPOINT_KINDS)}.",
        )
    if out.is_dir():
        raise UsageError("this is a directory", where=str(out), todo="Give --out the name of a file.")
    if out.exists() and file.exists() and out.samefile(file):
        raise UsageError("--out names the checkpoint itself", where=str(out), todo="Give --out another name.")
    checkpoint = read_checkpoint(file)
    if find_spec("onnx") is None:
        raise UsageError(
            "importing a checkpoint needs the package onnx, which is not installed",
            where="penstock weights import",
            todo="Install it with: pip install 'penstock[import]'.",
        )
    model, published = load(CHECKPOINT_KINDS[kind].builder)(checkpoint, where=str(file))
    name = {entry.key: entry.value for entry in model.metadata_props}["penstock.name"]
    with replacing(out) as temporary:
        temporary.write_bytes(model.SerializeToString())
    return Imported(kind, name, published, checkpoint.sha256, f"{name}@sha256:{sha256_file(out)}", str(out))
