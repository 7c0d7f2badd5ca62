"""``penstock score face``: vectors of faces, stored or asked for, of one version of a model or of two."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from penstock.families.face.embedding_file import StoredVectors
    from penstock.families.face.image_pairs import ImagePairs


def face(
    released: Annotated[
        Path,
        typer.Argument(
            metavar="A",
            help="Stored vectors (.npz with embeddings, identities and perhaps names; or .npy), or with --url a folder "
            "of images: one folder a person.",
            show_default=False,
        ),
    ],
    candidate: Annotated[
        Path | None,
        typer.Argument(metavar="B", help="Another version's vectors of the same images.", show_default=False),
    ] = None,
    url: Annotated[
        list[str] | None,
        typer.Option(
            help="A service that runs already, called as the preset face-ood says (POST /feature): once for each "
            "folder among A and B, in their order.",
            show_default=False,
        ),
    ] = None,
    pairs: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.csv",
            help="Compare these pairs alone: columns first, second (names of images), same (0 or 1). Folders may then "
            "have any form.",
            show_default=False,
        ),
    ] = None,
    length: Annotated[int, typer.Option(min=1, max=4096, help="Values in a vector that a service answers.")] = 512,
    timeout: Annotated[float, typer.Option(min=0.1, max=3600, help="Seconds for one image.")] = 60.0,
    as_json: Annotated[
        bool,
        typer.Option(
            "--json",
            help="Print JSON: n, values, length, verification (as penstock score verification has it, without det), "
            "failed (image, reason), reasons; of two sides these of released and of candidate, drift (cosine of one "
            "image in both: least, p1, p5, median, mean) and cross_version (gallery of A, probes of B).",
        ),
    ] = False,
) -> None:
    """EER and TAR at FAR over all pairs of images, from their vectors; of two versions, whether galleries stay usable.

    A and B must have the same images: of the same names (in folders PERSON/FILE), else in the same order. All pairs are
    compared by their cosine; up to 20,000 vectors. An image that a service gives no vector is accepted at no threshold.
    Without identities the vectors are checked, and how far they moved is said.

    Example: penstock score face gallery.npz photos --url http://127.0.0.1:8000 --json
    """
    from penstock.families.face.image_pairs import read_image_pairs
    from penstock.families.face.vector_values import vector_content, vector_lines, vector_values

    named = None if pairs is None else read_image_pairs(pairs)
    sides = _sides([released] if candidate is None else [released, candidate], url or [], named, length, timeout)
    found = vector_values(sides[0], sides[1] if len(sides) > 1 else None, named)
    if as_json:
        typer.echo(json.dumps(vector_content(found), indent=2, allow_nan=False))
        return
    typer.echo("\n".join(vector_lines(found)))


def _sides(
    paths: list[Path], urls: list[str], pairs: ImagePairs | None, length: int, timeout_s: float
) -> list[StoredVectors]:
    """The vectors of each side: read, or asked for."""
    from penstock.families.face.embedding_file import read_vectors
    from penstock.families.face.image_folder import FolderService, ask_folder
    from penstock.foundation.errors import UsageError

    folders = [path for path in paths if path.is_dir()]
    if len(folders) != len(urls):
        what = f"there are {len(folders)} folders of images and {len(urls)} addresses"
        todo = "Give --url once for each folder, in their order; stored vectors need none."
        raise UsageError(what, where="--url", todo=todo)

    def tell(done: int, total: int) -> None:
        if sys.stderr.isatty():
            sys.stderr.write(f"\r{done} of {total} images" + ("\n" if done == total else ""))

    services = iter(urls)
    return [
        ask_folder(path, FolderService(next(services), length, timeout_s), pairs, tell)
        if path.is_dir()
        else read_vectors(path)
        for path in paths
    ]
