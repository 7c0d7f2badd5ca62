"""``penstock sbom``: the bill of materials of a release: image, packages, model, weights."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from penstock.local_run.run_folder import OUT

if TYPE_CHECKING:
    from penstock.bundle.sbom_file import SbomComponent


def sbom(
    run: Annotated[str, typer.Argument(help="A version, a tag, a run's name, or a bundle's directory.")],
    out: Annotated[Path, typer.Option(help="Where runs, cache and store lie.")] = OUT,
    store: Annotated[
        str, typer.Option(help="Where releases are kept: a directory or s3://bucket/prefix; OUT/store by default.")
    ] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print the document, CycloneDX 1.6.")] = False,
) -> None:
    """List what a release is made of: its image, the packages in it, the model's weights, with digests and licences.

    Example: penstock sbom 1.1.0 --json > sonic-lite.cdx.json
    """
    from penstock.bundle.directory import Bundle
    from penstock.bundle.sbom_file import SBOM, SbomShown, read_sbom
    from penstock.local_run.run_names import find_bundle

    bundle = Bundle(find_bundle(run, out=out, store=store))
    document = read_sbom(bundle)
    if as_json:
        typer.echo(json.dumps(document, indent=2, ensure_ascii=False))
        return
    rows = list(_rows(SbomShown.model_validate(document).components))
    _print(rows)
    sys.stderr.write(f"{len(rows)} components; the document: {bundle.path / SBOM}\n")


def _rows(components: list[SbomComponent]) -> Iterator[tuple[str, str, str, str]]:
    """Each component, and below it those that it is made of."""
    for part in components:
        yield part.type, part.name, part.version, ", ".join(map(str, part.licenses))
        yield from _rows(part.components)


def _print(rows: list[tuple[str, str, str, str]]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from penstock.cli.gate import PLAIN_WIDTH
    from penstock.foundation.errors import one_line

    table = Table("kind", "name", "version", "licence", box=None, pad_edge=False)
    for row in rows:
        table.add_row(*(Text(one_line(cell)) for cell in row))
    Console(width=None if sys.stdout.isatty() else PLAIN_WIDTH, highlight=False).print(table)
