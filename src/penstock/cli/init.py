"""``penstock init``: start a contract."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from penstock.families.registry import default_family

DEFAULT = default_family()


def init(
    directory: Annotated[Path, typer.Argument(help="The model's repository.", metavar="[DIR]")] = Path(),
    family: Annotated[str, typer.Option(help="What kind of model it is; `penstock families` lists them.")] = DEFAULT,
    source: Annotated[
        Path | None,
        typer.Option("--from", help="The cog.yaml of a cog repository: its inputs fill the contract.", metavar="FILE"),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite what is there.")] = False,
) -> None:
    """Write a commented penstock.yaml and a suite to start from.

    Example: penstock init my-model, or penstock init --from cog.yaml in a cog repository
    """
    from penstock.contract.template import write_template

    for path in write_template(directory, family=family, force=force, cog=source):
        typer.echo(f"wrote {path}")
    typer.echo(f"Next: change them, then `penstock check {directory}` says what is still missing.")
