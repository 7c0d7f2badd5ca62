"""The one way in which a pipeline runs on this machine: its scratch, its environment, its state, its listener."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from penstock.foundation.errors import UsageError
from penstock.foundation.files import write_json
from penstock.invocation.isolation import LOCAL_RUN
from penstock.local_run.own_pipelines import manifests
from penstock.local_run.run_scratch import scratch
from penstock.tekton.load_manifests import LoadedPipeline, load_pipeline
from penstock.tekton.run_json import OnEvent, PipelineRunResult
from penstock.tekton.runner import run_pipeline

Listening = Callable[[], AbstractContextManager[OnEvent]]
"""Opened for each run of a pipeline; what it yields is told what happens, from any thread."""


def load_own(folder: Path, run: dict[str, Any]) -> LoadedPipeline:
    """Keep a PipelineRun in its run's folder, and load it with the tasks and pipelines that come with Penstock.

    Raises:
        WorldError: the folder cannot be written.
    """
    file = folder / "pipelinerun.json"
    write_json(file, run)
    return load_pipeline(file, task_directories=[manifests() / "tasks", manifests() / "pipelines"])


def run_here(
    folder: Path,
    loaded: LoadedPipeline,
    params: Mapping[str, str],
    workspaces: Mapping[str, Path],
    *,
    listening: Listening,
    jobs: int = 0,
) -> PipelineRunResult:
    """Run a pipeline, or go on with the run that was begun in the folder.

    Args:
        folder: the run's, which exists; its name is the run's.
        loaded: what is run.
        params: parameters of the pipeline.
        workspaces: directories for its workspaces.
        listening: opened while the pipeline runs.
        jobs: tasks at a time; 0: as many as are ready.

    Raises:
        UsageError: the run goes on in another process, or what is run has changed since it began.
        WorldError: the machine failed. The run can be resumed.
        Interrupted: Ctrl-C. The run can be resumed.
    """
    with scratch(folder) as temporary, listening() as listener:
        return run_pipeline(
            loaded,
            params,
            workspaces,
            folder / "state",
            name=folder.name,
            environment=environment(temporary),
            max_parallel=jobs or None,
            on_event=listener,
            # a run that was killed before the engine began has nothing to go on from: it begins
            resume=(folder / "state" / "state.json").exists(),
        )


def measure_here(
    folder: Path,
    run: dict[str, Any],
    params: Mapping[str, str],
    workspaces: Mapping[str, Path],
    *,
    listening: Listening,
) -> PipelineRunResult:
    """Make the folder of a run that a command makes for itself, and run it, or go on with it.

    Args:
        folder: the run's; its name is the run's.
        run: the PipelineRun, which calls tasks that come with Penstock.
        params: parameters of the pipeline.
        workspaces: directories for its workspaces.
        listening: opened while the pipeline runs.

    Raises:
        UsageError: a parameter or a workspace is refused; as :func:`run_here`.
        WorldError: as :func:`run_here`.
        Interrupted: Ctrl-C. The run can be resumed.
    """
    ended = run_here(folder, load_own(folder, run), params, workspaces, listening=listening)
    if ended.refused:
        raise UsageError(ended.message, where="--param, --workspace", todo="Correct it.")
    return ended


def environment(temporary: Path) -> dict[str, str]:
    """This process's environment, with the programs of Penstock's own environment first on the path.

    Args:
        temporary: where steps put temporary files.
    """
    own = str(Path(sys.executable).parent)
    path = os.pathsep.join([own, os.environ.get("PATH", os.defpath)])
    return dict(os.environ) | {"PATH": path, "TMPDIR": str(temporary), LOCAL_RUN: "1"}
