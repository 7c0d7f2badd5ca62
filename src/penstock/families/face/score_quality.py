"""``penstock score quality``: how well a quality score tells what is out of distribution, and what to discard."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer


def quality(
    file: Annotated[
        Path,
        typer.Argument(metavar="FILE.csv", help="Columns quality, ood (0 or 1), and perhaps error; a line an image."),
    ],
    as_json: Annotated[
        bool,
        typer.Option(
            "--json",
            help="Print JSON: auroc, fpr95, accepted_ood95, discard (share discarded, error of what is kept, least "
            "quality kept), discard_of, discard_area, bands, n, n_ood, reasons (why a value is null), notes.",
        ),
    ] = False,
) -> None:
    """How well a quality score tells images out of distribution, and which error is left if the worst are discarded.

    Quality is high for what can be used. The positive class is out of distribution, found by a low quality: fpr95 is
    the share of usable images that are lost where 95 % of the others are found. The discard curve is of the column
    error (0 or 1 for a comparison that failed at a fixed threshold: FNMR), or of ood where there is none.

    Example: penstock score quality qualities.csv --json
    """
    from penstock.families.face.quality_file import quality_content, quality_lines, read_qualities

    content = quality_content(read_qualities(file))
    if as_json:
        typer.echo(json.dumps(content, indent=2, allow_nan=False))
        return
    typer.echo("\n".join(quality_lines(content)))
