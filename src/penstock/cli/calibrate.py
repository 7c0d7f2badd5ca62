"""``penstock calibrate``: how much each metric moves between runs of one and the same model."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from penstock.local_run.run_folder import OUT


def calibrate(
    repo: Annotated[str, typer.Option(help="The model's repository: a URL, or a path of this machine.")] = "",
    revision: Annotated[str, typer.Option(help="Branch, tag or commit.")] = "",
    runs: Annotated[int, typer.Option(min=2, max=100, help="How many times the model is run.")] = 5,
    bundle: Annotated[
        list[Path] | None,
        typer.Option(
            help="A bundle of a finished run, or its measurements.jsonl; give one for each run. Nothing is run then.",
            metavar="PATH",
        ),
    ] = None,
    file: Annotated[Path, typer.Option(help="Where the figures are written.")] = Path("calibration.json"),
    policy: Annotated[
        Path | None,
        typer.Option(
            help="Compare the margins of this policy with the noise; by default of the contract that was run."
        ),
    ] = None,
    level: Annotated[
        float, typer.Option(help="The share of unchanged models that a rule may stop; the policy's by default.")
    ] = 0.0,
    out: Annotated[Path, typer.Option(help="Where runs and cache lie.")] = OUT,
    param: Annotated[
        list[str] | None, typer.Option(help="A parameter of the pipeline, e.g. shards=2.", metavar="NAME=VALUE")
    ] = None,
    workspace: Annotated[
        list[str] | None, typer.Option(help="A workspace, e.g. basic-auth=DIR.", metavar="NAME=DIR")
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the figures as JSON, as they are in the file.")
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Show no progress.")] = False,
) -> None:
    """Run one revision several times and write each metric's noise and smallest detectable change into a file.

    The policy refers to the file by 'calibration: FILE'; a margin may then be '5 sd'. Nothing is gated, archived or
    published. Broken off, the same command goes on: finished runs in OUT are used again.

    Example: penstock calibrate --repo ../sonic --revision v1.0.0 --runs 5

    Example: penstock calibrate --bundle run-1/bundle --bundle run-2/bundle --file calibration.json
    """
    import sys
    from functools import partial

    from penstock.cli.calibrate_show import show
    from penstock.cli.run_display import Display, progress_line
    from penstock.local_run.calibration_runs import Options, carry_out

    options = Options(
        repo=repo,
        revision=revision,
        runs=runs,
        bundles=tuple(bundle or ()),
        file=file,
        policy=policy,
        level=level,
        out=out,
        params=tuple(param or ()),
        workspaces=tuple(workspace or ()),
    )
    done = carry_out(options, listening=partial(Display, quiet=quiet), say=partial(progress_line, quiet=quiet))
    if as_json:
        sys.stdout.write(done.calibration.model_dump_json(indent=2) + "\n")
    show(done.calibration, done.policy, file, left_out=done.left_out, table=not as_json)
