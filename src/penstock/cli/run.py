"""``penstock run``: a pipeline on this machine, without a cluster."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from penstock.local_run.run_folder import OUT


def run(
    what: Annotated[
        str,
        typer.Argument(
            help="release, verify, or a file with a v1 Pipeline or PipelineRun.", metavar="release|verify|FILE.yaml"
        ),
    ],
    repo: Annotated[str, typer.Option(help="The model's repository: a URL, or a path of this machine.")] = "",
    revision: Annotated[str, typer.Option(help="Branch, tag or commit.")] = "",
    param: Annotated[
        list[str] | None,
        typer.Option(help="A parameter, NAME=VALUE; an array or object as JSON.", metavar="NAME=VALUE"),
    ] = None,
    workspace: Annotated[list[str] | None, typer.Option(help="A workspace, NAME=DIR.", metavar="NAME=DIR")] = None,
    out: Annotated[Path, typer.Option(help="Where runs, cache and store lie.")] = OUT,
    store: Annotated[
        str, typer.Option(help="Where releases are kept: a directory or s3://bucket/prefix; OUT/store by default.")
    ] = "",
    python: Annotated[
        str,
        typer.Option(
            help="The model's Python environment: a directory or an interpreter; else that of the contract, the active "
            "one, or the repository's .venv.",
            metavar="PATH",
        ),
    ] = "",
    weights: Annotated[
        str,
        typer.Option(
            help="Weights to be tried in place of the contract's: a file of this machine, or https://, s3:// or hf:// "
            "with #sha256=DIGEST behind it; of several files, PATH= in front. The version gains +w and eight digits.",
            metavar="FILE|URL",
        ),
    ] = "",
    name: Annotated[str, typer.Option(help="The run's name; made up if left out.")] = "",
    resume: Annotated[
        str,
        typer.Option(help="Go on with the run of this name, from the first step that did not finish.", metavar="RUN"),
    ] = "",
    regate: Annotated[
        str,
        typer.Option(
            help="Judge the outputs of this archived run again, as a new run, against the current release.",
            metavar="RUN",
        ),
    ] = "",
    policy_floor: Annotated[
        Path | None, typer.Option(help="The platform's rules, judged as well: no waiver reaches them.")
    ] = None,
    jobs: Annotated[int, typer.Option(min=0, help="Tasks at a time; 0: as many as are ready, as Tekton does.")] = 0,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the end of the run as JSON, in the shape of a PipelineRun's status.")
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Show no progress.")] = False,
) -> None:
    """Run the release or verify pipeline over a model, or any Tekton v1 Pipeline or PipelineRun.

    Example: penstock run release --repo ../sonic --revision v1.1.0

    Example: penstock run release --repo ../sonic --revision v1.1.0 --weights ../trained/epoch-40.safetensors

    Example: penstock run release --regate sonic-lite-1.1.0-20260102-030405-abcd

    Example: penstock run build.yaml --param image=app --workspace source=.
    """
    from functools import partial

    from penstock.cli.run_display import Display, progress_line
    from penstock.cli.run_end_display import show_end
    from penstock.local_run.requested_run import carry_out
    from penstock.local_run.run_request import Options

    options = Options(
        what=what,
        repo=repo,
        revision=revision,
        params=tuple(param or ()),
        workspaces=tuple(workspace or ()),
        out=out,
        store=store,
        python=python,
        weights=weights,
        name=name,
        resume=resume,
        regate=regate,
        policy_floor=policy_floor,
        jobs=jobs,
    )
    finished = carry_out(options, listening=partial(Display, quiet=quiet), say=partial(progress_line, quiet=quiet))
    show_end(finished, as_json=as_json)
    raise typer.Exit(int(finished.code))
