"""What ``penstock run`` does: the run's directory, the pipeline, what its end means."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from penstock.bundle.directory import Bundle
from penstock.bundle.failures import first_failure
from penstock.foundation.errors import ExitCode, Interrupted, UsageError, WorldError
from penstock.local_run.engine import Listening, load_own, run_here
from penstock.local_run.exit_codes import RESUMABLE, exit_code, track_exit_code
from penstock.local_run.own_pipelines import TRACKS, track_run
from penstock.local_run.run_end import refused_at_start
from penstock.local_run.run_floor import keep_floor
from penstock.local_run.run_folder import begin, mark_refused, prepare, unmark_refused
from penstock.local_run.run_request import Options, changes_note, new_request, read_request, run_name, with_floor
from penstock.local_run.run_scratch import RunInUseError
from penstock.tekton.load_manifests import load_pipeline
from penstock.tekton.run_json import PipelineRunResult


@dataclass(frozen=True)
class FinishedRun:
    """A run that has ended."""

    ended: PipelineRunResult
    folder: Path
    code: ExitCode
    track: bool
    """Whether it is of our own release or verify pipeline."""
    go_on: str
    """What resumes it; empty where that cannot help."""


def carry_out(options: Options, *, listening: Listening, say: Callable[[str], None]) -> FinishedRun:
    """Run or resume a pipeline.

    Args:
        options: as they were given.
        listening: opened while the pipeline runs.
        say: is told in a line what to mind before anything runs.

    Raises:
        UsageError: an option, a manifest or a parameter is wrong; the run exists already, or there is none to resume.
        WorldError: the output directory cannot be written.
        Interrupted: Ctrl-C; the run can be resumed.
    """
    name, out = run_name(options), options.out.absolute()
    folder = out / "runs" / name
    request = read_request(folder, options) if options.resume else new_request(options, out)
    track = request.what in TRACKS
    if not track:
        loaded = load_pipeline(Path(request.what))
    if options.resume:
        unmark_refused(folder)
    else:
        prepare(out)
        if options.policy_floor is not None:
            request = with_floor(request, folder)
        begin(folder, asdict(request))
        keep_floor(folder, options.policy_floor)
        if note := changes_note(options):
            say(note)
    if track:
        loaded = load_own(folder, track_run(request.what, name))
    workspaces = {key: Path(value) for key, value in request.workspaces.items()}
    try:
        ended = run_here(folder, loaded, request.params, workspaces, listening=listening, jobs=options.jobs)
    except RunInUseError:
        raise
    except UsageError:
        # nothing has run: the name is free again
        if not options.resume:
            mark_refused(folder)
        raise
    except Interrupted as error:
        raise Interrupted(error.what, where=error.where, todo=go_on(options, name)) from error
    except WorldError as error:
        raise WorldError(error.what, where=error.where, todo=f"{error.todo} {go_on(options, name)}".strip()) from error
    code = track_exit_code(ended) if track else exit_code(ended)
    if refused_at_start(ended, code) if track else ended.refused:
        mark_refused(folder)
    resumable = is_resumable(folder, code, track=track)
    return FinishedRun(ended, folder, code, track, go_on(options, name) if resumable else "")


def is_resumable(folder: Path, code: ExitCode, *, track: bool) -> bool:
    """Whether the same run may well come further.

    Args:
        folder: the run's.
        code: how it ended.
        track: whether it is of our own release or verify pipeline.
    """
    failure = first_failure(Bundle(folder / "bundle")) if track else None
    return code in RESUMABLE and (failure is None or failure.resumable)


def go_on(options: Options, name: str) -> str:
    """How the run is resumed, as one can paste it into a shell."""
    words = ["penstock", "run", options.what, "--out", str(options.out), "--resume", name]
    return f"Go on with: {shlex.join(words)}"
