"""Start the runs of a schedule: what the CronJob ``scheduled`` runs, in the image that has a client of Kubernetes.

It is no step: it starts pipelines, and none starts it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from penstock.foundation.errors import PenstockError
from penstock.steps.entrypoint import log, param, run_step, workspace
from penstock.tekton.cluster_runs import ClusterRuns, scheduled_files, scheduled_run


@dataclass(frozen=True)
class Arguments:
    """Create each PipelineRun of a folder, unless one of its name still goes."""

    job: str = param("the Job's uid: what it has started is not started again when its pod is tried again")
    runs: Path = workspace("the ConfigMap penstock-scheduled-runs: a PipelineRun in each NAME.yaml")


RESULTS: tuple[str, ...] = ()


def step(arguments: Arguments, cluster: Callable[[], ClusterRuns] = ClusterRuns.here) -> dict[str, str]:
    """Start them one after the other; one that cannot be started does not keep the others back."""
    paths, api = scheduled_files(arguments.runs), cluster()
    failed: list[PenstockError] = []
    for path in paths:
        name = path.stem
        try:
            started = api.start(name, scheduled_run(path), job=arguments.job)
        except PenstockError as error:
            failed.append(error)
            continue
        if started.why_not:
            log("not started", what=name, run=started.run, reason=started.why_not)
        else:
            log("started", what=name, run=started.run)
    for further in failed[1:]:
        log("error", step="scheduled", error=str(further))
    if failed:
        raise failed[0]
    return {}


def main(argv: Sequence[str] | None = None) -> int:
    """Program of the CronJob."""
    return run_step("scheduled", Arguments, RESULTS, step, argv)


if __name__ == "__main__":
    sys.exit(main())
