"""``penstock runs``: what was run here, and how it ended."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from penstock.local_run.run_folder import OUT


def runs(
    out: Annotated[Path, typer.Option(help="Where runs, cache and store lie.")] = OUT,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List the runs, the newest first: model, version, verdict, image, weights, age and size.

    Example: penstock runs --json
    """
    import datetime

    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from penstock.cli.gate import PLAIN_WIDTH
    from penstock.foundation.errors import printable
    from penstock.local_run.run_list import age_words, local_runs, size_words

    found = local_runs(out)
    if as_json:
        rows = [
            {
                "name": run.name,
                "track": run.track,
                "model": run.model or None,
                "version": run.version or None,
                "verdict": run.verdict,
                "image": run.pair.image if run.pair else None,
                "weights": run.pair.weights if run.pair else {},
                "began": run.began.isoformat(timespec="seconds"),
                "bytes": run.bytes,
                "bundle": str(run.bundle.path.absolute()) if run.bundle.run_file.exists() else None,
            }
            for run in found
        ]
        typer.echo(json.dumps(rows, indent=2, ensure_ascii=False))
        return
    if not found:
        typer.echo(f"There are no runs in {out}. Where they lie: --out.")
        return
    table = Table("run", "track", "model", "version", "verdict", "image", "weights", box=None, pad_edge=False)
    for title in ("age", "size"):
        table.add_column(title, justify="right")
    now = datetime.datetime.now(datetime.UTC)
    for run in found:
        cells = [run.name, run.track, run.model or "–", run.version or "–", run.verdict]
        cells += [run.pair.image_words(), run.pair.weights_words()] if run.pair else ["–", "–"]
        cells += [age_words(run.began, now), size_words(run.bytes)]
        table.add_row(*(Text(printable(cell)) for cell in cells))
    Console(width=None if sys.stdout.isatty() else PLAIN_WIDTH, highlight=False).print(table)
