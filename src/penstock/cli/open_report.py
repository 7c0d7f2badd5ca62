"""``penstock open``: a run's report in the browser."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from penstock.local_run.run_folder import OUT


def open_report(
    run: Annotated[str, typer.Argument(help="A run's name, a version, a tag, or a bundle's directory.")],
    out: Annotated[Path, typer.Option(help="Where runs, cache and store lie.")] = OUT,
    store: Annotated[
        str, typer.Option(help="Where releases are kept: a directory or s3://bucket/prefix; OUT/store by default.")
    ] = "",
) -> None:
    """Show a run's report; where there is no display, only print where it is.

    Example: penstock open 1.1.0
    """
    from penstock.local_run.run_names import find_bundle, report_page

    page = report_page(find_bundle(run, out=out, store=store))
    typer.echo(str(page))
    if has_display():
        import webbrowser

        webbrowser.open(page.absolute().as_uri())


def has_display() -> bool:
    """Whether a browser would have a screen to show itself on."""
    return sys.platform == "darwin" or any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER"))
