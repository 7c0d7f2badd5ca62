"""The exit code of a run that has ended, and whether the same run may come further."""

from __future__ import annotations

from penstock.foundation.errors import ExitCode
from penstock.tekton.run_json import PipelineRunResult

RESUMABLE = (ExitCode.WORLD, ExitCode.BUG, ExitCode.INTERRUPTED)
"""Ends after which the same run may well come further; a verdict or a mistake stays what it is."""
_PROBLEMS = (ExitCode.USAGE, *RESUMABLE)
_VERDICTS = (ExitCode.REJECTED, ExitCode.INCONCLUSIVE)
"""Only the step *enforce* may end with these."""


def exit_code(ended: PipelineRunResult) -> ExitCode:
    """Of any pipeline: 0 if it succeeded, 2 if it was refused for what it was given, else 1."""
    if ended.succeeded:
        return ExitCode.OK
    return ExitCode.USAGE if ended.refused else ExitCode.REJECTED


def track_exit_code(ended: PipelineRunResult) -> ExitCode:
    """Of our own pipelines: the code of the step that failed. A broken run never looks like a rejected model."""
    if ended.succeeded:
        return ExitCode.OK
    if ended.refused:
        return ExitCode.USAGE
    # notify may fail without consequence; what failed first is the cause of what followed
    failed = [record for record in ended.task_runs if record.status == "False" and record.pipeline_task != "notify"]
    for record in sorted(failed, key=lambda record: record.finished):
        allowed = (*_PROBLEMS, *_VERDICTS) if record.pipeline_task == "enforce" else _PROBLEMS
        for code in allowed:
            if record.exit_code == code:
                return code
        # a signal (out of memory), a timeout: the world's; any other code of our own programs is a bug
        killed = record.exit_code is None or record.exit_code < 0 or record.exit_code > 128
        return ExitCode.WORLD if killed else ExitCode.BUG
    return ExitCode.WORLD
