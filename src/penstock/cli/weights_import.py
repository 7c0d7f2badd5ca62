"""``penstock weights import``: a published PyTorch checkpoint becomes an ONNX extractor."""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    import onnx

    from penstock.extractors.checkpoint import Checkpoint


class Kind(StrEnum):
    """Checkpoints that can be imported."""

    SYNCNET = "syncnet"
    INCEPTION = "inception"


def import_weights(
    kind: Annotated[Kind, typer.Argument(help="syncnet (lip sync) or inception (FID, KID).", show_default=False)],
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="The checkpoint, as its authors publish it.", show_default=False)
    ],
    out: Annotated[
        Path, typer.Option("--out", metavar="FILE.onnx", help="Where to write the extractor.", show_default=False)
    ],
    as_json: Annotated[
        bool, typer.Option("--json", help="Print JSON: kind, name, published, source_sha256, extractor, out.")
    ] = False,
) -> None:
    """Turn a published checkpoint into an ONNX extractor.

    The checkpoint is read without running what is in it, compared with the architecture, and written as one ONNX file
    that records the checkpoint's SHA-256. Needs PyTorch: pip install 'penstock[import]'.

    Example: penstock weights import syncnet syncnet_v2.model --out syncnet.onnx
    """
    from penstock.extractors.checkpoint import read_checkpoint
    from penstock.foundation.errors import UsageError
    from penstock.foundation.files import replacing, sha256_file

    if out.is_dir():
        raise UsageError("this is a directory", where=str(out), todo="Give --out the name of a file.")
    if out.exists() and file.exists() and out.samefile(file):
        raise UsageError("--out names the checkpoint itself", where=str(out), todo="Give --out another name.")
    checkpoint = read_checkpoint(file)
    model, published = _build(kind, checkpoint, str(file))
    name = {entry.key: entry.value for entry in model.metadata_props}["penstock.name"]
    with replacing(out) as temporary:
        temporary.write_bytes(model.SerializeToString())
    extractor = f"{name}@sha256:{sha256_file(out)}"
    if not published:
        typer.echo(
            f"warning: {file} is not the published checkpoint (SHA-256 {checkpoint.sha256}): "
            "its values compare with each other only",
            err=True,
        )
    if as_json:
        result = {
            "kind": kind.value,
            "name": name,
            "published": published,
            "source_sha256": checkpoint.sha256,
            "extractor": extractor,
            "out": str(out),
        }
        typer.echo(json.dumps(result, indent=2))
        return
    typer.echo(f"checkpoint  sha256:{checkpoint.sha256} ({'published' if published else 'unpublished'})")
    typer.echo(f"extractor   {extractor}")
    typer.echo(f"written to  {out}")


def _build(kind: Kind, checkpoint: Checkpoint, where: str) -> tuple[onnx.ModelProto, bool]:
    """The ONNX model, and whether the checkpoint is the published one."""
    from penstock.foundation.errors import UsageError

    try:
        import onnx  # noqa: F401
    except ImportError as error:
        raise UsageError(
            "importing a checkpoint needs the package onnx, which is not installed",
            where="penstock weights import",
            todo="Install it with: pip install 'penstock[import]'.",
        ) from error
    if kind is Kind.SYNCNET:
        from penstock.extractors import syncnet_onnx

        name = syncnet_onnx.name_for(checkpoint.sha256)
        model = syncnet_onnx.build(checkpoint.state, name=name, source_sha256=checkpoint.sha256, where=where)
        return model, name == syncnet_onnx.PUBLISHED_NAME
    from penstock.extractors import inception_onnx

    name = inception_onnx.name_for(checkpoint.sha256)
    model = inception_onnx.build(checkpoint.state, name)
    model.metadata_props.add(key="penstock.source_sha256", value=checkpoint.sha256)
    return model, name == inception_onnx.PUBLISHED_NAME
