"""``penstock score face``: stored vectors of faces, of one version of a model or of two."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer


def face(
    released: Annotated[
        Path,
        typer.Argument(
            metavar="A",
            help="Stored vectors, no images (.npz with embeddings, identities and perhaps names; or .npy).",
            show_default=False,
        ),
    ],
    candidate: Annotated[
        Path | None,
        typer.Argument(metavar="B", help="Another version's vectors of the same images.", show_default=False),
    ] = None,
    as_json: Annotated[
        bool,
        typer.Option(
            "--json",
            help="Print JSON: n, values, length, verification (as penstock score verification has it, without det), "
            "reasons; of two files these of released and of candidate, drift (cosine of one image in both: least, p1, "
            "p5, median, mean) and cross_version (gallery of A, probes of B).",
        ),
    ] = False,
) -> None:
    """EER and TAR at FAR over all pairs of images, from stored vectors; of two versions, whether galleries stay usable.

    A and B must have the same images: of the same names, else in the same order. All pairs are compared by their
    cosine; up to 20,000 vectors. Images are not read: run the model on them, and store what it answers. Without
    identities the vectors are checked, and how far they moved is said.

    Example: penstock score face released.npz candidate.npz --json
    """
    from penstock.families.face.embedding_file import read_vectors
    from penstock.families.face.vector_values import vector_content, vector_lines, vector_values

    found = vector_values(read_vectors(released), None if candidate is None else read_vectors(candidate))
    if as_json:
        typer.echo(json.dumps(vector_content(found), indent=2, allow_nan=False))
        return
    typer.echo("\n".join(vector_lines(found)))
