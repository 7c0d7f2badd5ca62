"""``penstock store transfer``: a model's name moves to another repository."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def transfer(
    model: Annotated[str, typer.Argument(help="The model's name.")],
    to: Annotated[str, typer.Option(help="The repository that the name belongs to from now on: a URL, or a path.")],
    reason: Annotated[str, typer.Option(help="Why; it stays on record.")],
    store: Annotated[str, typer.Option(help="Where the model is released: a directory or s3://bucket/prefix.")],
    by: Annotated[str, typer.Option(help="Who says so; user and machine by default.")] = "",
    store_credentials: Annotated[
        Path | None, typer.Option(help="A directory with AWS_ACCESS_KEY_ID and so on; the environment by default.")
    ] = None,
) -> None:
    """Let a model's name belong to another repository. What is released stays the baseline.

    Example: penstock store transfer mini --to git@git.example.org:new/mini.git --reason "the team moved" --store s3://releases/penstock
    """
    from penstock.foundation.errors import printable
    from penstock.releases.moves import stated_author
    from penstock.releases.transfer import transfer as move
    from penstock.store.open import existing_store

    done = move(existing_store(store, store_credentials), model, to, reason=reason, by=stated_author(by))
    if done is None:
        typer.echo(f"{model} belongs to that repository already")
        return
    typer.echo(printable(f"{model}: from {done.before} to {done.after}, transfer {done.number}, by {done.by}"))
