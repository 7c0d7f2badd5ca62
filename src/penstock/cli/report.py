"""``penstock report``: a run's report on paper."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from penstock.local_run.run_folder import OUT


def report(
    run: Annotated[str, typer.Argument(help="A run's name, a version, a tag, or a bundle's directory.")],
    pdf: Annotated[Path, typer.Option(help="Print the report to this file: A4, with page numbers.")],
    out: Annotated[Path, typer.Option(help="Where runs, cache and store lie.")] = OUT,
    store: Annotated[
        str, typer.Option(help="Where releases are kept: a directory or s3://bucket/prefix; OUT/store by default.")
    ] = "",
) -> None:
    """Print a run's report to a PDF. It takes a Chromium and the extra 'browser'.

    Example: penstock report 1.1.0 --pdf sonic-1.1.0.pdf
    """
    from penstock.bundle.directory import Bundle
    from penstock.foundation.errors import UsageError
    from penstock.local_run.run_names import find_bundle, report_page
    from penstock.report.printed_page import print_page
    from penstock.report.run_records import read_side
    from penstock.report.summary import title

    bundle = Bundle(find_bundle(run, out=out, store=store))
    page = report_page(bundle.path)
    if bundle.manifest_file.exists() and pdf.resolve().is_relative_to(bundle.path.resolve()):
        raise UsageError(
            "the bundle is sealed: a file more would make it another one", where=str(pdf), todo="Give a file elsewhere."
        )
    print_page(page, pdf, title(bundle.run(), bundle.verdict()), read_side(bundle).date)
    typer.echo(str(pdf))
