"""``penstock clean``: remove runs whose evidence is in the store, and the cache."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from penstock.local_run.run_folder import OUT


def clean(
    keep: Annotated[int, typer.Option(min=0, help="Keep so many of the newest runs of each model.")] = 0,
    older_than: Annotated[str, typer.Option(help="Only runs that began before so long: 30d, 12h.", metavar="AGE")] = "",
    unarchived: Annotated[
        bool,
        typer.Option(
            "--unarchived", help="Also runs that are nowhere else: stopped, refused, verify, bisect, calibrate."
        ),
    ] = False,
    cache: Annotated[
        bool, typer.Option("--cache", help="Also the cache: later runs make again what was in it.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be removed.")] = False,
    out: Annotated[Path, typer.Option(help="Where runs, cache and store lie.")] = OUT,
    store: Annotated[
        str, typer.Option(help="Where releases are kept; by default the store that each run was archived in.")
    ] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Remove runs that are archived, as the store's own manifest shows; the store itself is never touched.

    Example: penstock clean --older-than 30d --keep 5 --dry-run
    """
    from penstock.local_run.clean_runs import Options, carry_out

    carry_out(Options(keep, older_than, unarchived, cache, dry_run, out, store, as_json))
