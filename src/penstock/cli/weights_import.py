"""``penstock weights import``: a published PyTorch checkpoint becomes an ONNX extractor."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from penstock.extractors.checkpoint_import import CHECKPOINT_KINDS

KINDS = list(CHECKPOINT_KINDS)
MEANINGS = " or ".join(f"{name} ({kind.measures})" for name, kind in CHECKPOINT_KINDS.items())


def import_weights(
    kind: Annotated[
        str,
        typer.Argument(metavar="KIND", help=f"{MEANINGS}.", show_default=False, autocompletion=lambda: KINDS),
    ],
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
    from dataclasses import asdict

    from penstock.extractors.checkpoint_import import import_checkpoint

    made = import_checkpoint(kind, file, out)
    if not made.published:
        typer.echo(
            f"warning: {file} is not the published checkpoint (SHA-256 {made.source_sha256}): "
            "its values compare with each other only",
            err=True,
        )
    if as_json:
        typer.echo(json.dumps(asdict(made), indent=2))
        return
    typer.echo(f"checkpoint  sha256:{made.source_sha256} ({'published' if made.published else 'unpublished'})")
    typer.echo(f"extractor   {made.extractor}")
    typer.echo(f"written to  {made.out}")
