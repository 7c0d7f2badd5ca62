"""``penstock bisect``: which commit made a metric worse."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from penstock.local_run.run_folder import OUT


def bisect(
    good: Annotated[str, typer.Option(help="A revision that was well: branch, tag or commit, also main~3.")],
    bad: Annotated[str, typer.Option(help="A later revision that is worse.")],
    metric: Annotated[str, typer.Option(help="The metric, as measurements name it: lse_d, sharpness, …")],
    repo: Annotated[str, typer.Option(help="The model's repository: a URL, or a path of this machine.")] = ".",
    slice_name: Annotated[str, typer.Option("--slice", help="Only cases that carry this slice.")] = "",
    margin: Annotated[
        str, typer.Option(help="How much worse counts: 5%, 0.2, or 2 sd; the policy's rule by default.")
    ] = "",
    policy: Annotated[
        Path | None, typer.Option(help="A policy file; the bad revision's contract by default.", metavar="FILE")
    ] = None,
    store: Annotated[
        str, typer.Option(help="Where archived runs are: a directory or s3://bucket/prefix; OUT/store by default.")
    ] = "",
    out: Annotated[Path, typer.Option(help="Where runs, cache and bisections lie.")] = OUT,
    reuse: Annotated[bool, typer.Option(help="Take bundles and products of earlier runs.")] = True,
    retry: Annotated[bool, typer.Option("--retry", help="Try commits again that could not be run before.")] = False,
    param: Annotated[
        list[str] | None, typer.Option(help="A parameter of the pipeline, e.g. shards=2.", metavar="NAME=VALUE")
    ] = None,
    workspace: Annotated[
        list[str] | None, typer.Option(help="A workspace, e.g. basic-auth=DIR.", metavar="NAME=DIR")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print what was found as JSON.")] = False,
    verbose: Annotated[bool, typer.Option("--verbose", help="Show each run as `penstock run` does.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Show no progress.")] = False,
) -> None:
    """Find the commit that made a metric worse, by running as few commits as it takes.

    All commits are measured with the bad revision's suite and extractors, along first parents; the gate decides with
    the good revision as the baseline. Nothing is archived or published. Broken off, the same command goes on.

    Exit 0: found, 1: bad is not worse than good, 3: it cannot be told, or only suspects are left, 2 and 4: as always.

    Example: penstock bisect --repo ../sonic --good v1.0.0 --bad main --metric lse_d
    """
    from functools import partial

    from penstock.bisect.requested_bisection import Options, carry_out
    from penstock.cli.bisect_display import BisectDisplay, show_end

    options = Options(
        repo=repo,
        good=good,
        bad=bad,
        metric=metric,
        slice_name=slice_name,
        margin=margin,
        policy=policy,
        store=store,
        out=out,
        reuse=reuse,
        retry=retry,
        params=tuple(param or ()),
        workspaces=tuple(workspace or ()),
    )
    finished = carry_out(options, watching=partial(BisectDisplay, quiet=quiet, verbose=verbose))
    show_end(finished, as_json=as_json)
    raise typer.Exit(int(finished.code))
