"""A repository's own checks (lint, unit tests), run as the model is run: confined, bounded, ended for certain."""

from __future__ import annotations

import tempfile
from pathlib import Path

from penstock.contract.models import Check
from penstock.foundation.errors import UsageError
from penstock.foundation.handles import discard_tree
from penstock.invocation.environment import PythonEnvironment
from penstock.invocation.log import BoundedLog
from penstock.invocation.model_process import ModelProcess, describe_exit
from penstock.invocation.sandbox import Sandbox


def run_check(check: Check, source: Path, logs: Path, *, python: PythonEnvironment | None = None) -> None:
    """Run one check in ``source``; its output is kept as ``logs/check-NAME.log``.

    Args:
        check: what is run.
        source: the clone, which it can read.
        logs: a directory.
        python: what it runs on, as a local model does; ``None``: what Penstock itself does.

    Raises:
        UsageError: it exited with another code than 0, or not in time; the message holds the end of its output.
        WorldError: it could not be started.
    """
    # the check can open its scratch directory to others, but not the directory around it
    private = Path(tempfile.mkdtemp(prefix="penstock-check-"))
    try:
        with BoundedLog(logs / f"check-{check.name}.log") as log:
            sandbox = Sandbox(source=source.resolve(), scratch=private / "scratch", python=python)
            log.note(f"confined by: {sandbox.isolation}")
            with ModelProcess(check.argv, sandbox, log) as process:
                ended = process.wait(check.timeout_s)
            if ended is None:
                raise UsageError(f"not done after {check.timeout_s:g} s", where=f"check '{check.name}'", todo=log.end())
            if ended.code != 0:
                raise UsageError(
                    describe_exit(ended.code), where=f"check '{check.name}'", todo=f"The end of its output: {log.end()}"
                )
    finally:
        discard_tree(private)
