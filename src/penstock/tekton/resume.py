"""Going on with a run that was interrupted or has failed: what is kept, what is run again."""

from __future__ import annotations

from penstock.foundation.errors import UsageError
from penstock.tekton.prepare import Prepared, input_digests
from penstock.tekton.saved_run import RunState, changed_inputs


def state_to_start(prepared: Prepared, before: RunState | None, started: str) -> RunState:
    """The state to start with. Of an earlier run, the TaskRuns that need not be run again are kept."""
    inputs = input_digests(prepared)
    if before is None:
        return RunState(prepared.name, prepared.uid, inputs, started)
    if changed := changed_inputs(before.inputs, inputs):
        raise UsageError(
            f"since the run was started, this has changed: {', '.join(changed)}",
            where=f"run '{before.name}'",
            todo="Undo the change, or start a new run.",
        )
    if before.finished is not None and before.finished.get("status") == "True":
        return RunState(prepared.name, prepared.uid, inputs, before.started, before.task_runs)
    ignoring = {node.name for node in prepared.nodes if node.ignores_failure}
    finals = {node.name for node in prepared.nodes if node.final}
    kept = {
        name: record
        for name, record in before.task_runs.items()
        if record.status == "True" or (record.pipeline_task in ignoring and record.reason == "FailureIgnored")
    }
    # what is told to the final tasks may change if any other task is run again
    unfinished = {record.pipeline_task for name, record in before.task_runs.items() if name not in kept}
    if unfinished - finals or _never_started(prepared, before, finals):
        kept = {name: record for name, record in kept.items() if record.pipeline_task not in finals}
    return RunState(prepared.name, prepared.uid, inputs, before.started, kept)


def _never_started(prepared: Prepared, before: RunState, finals: set[str]) -> bool:
    """Whether a task that was skipped because the run was stopping, or not reached, will now have its turn."""
    finished = before.finished or {}
    skipped = {
        task["name"]
        for task in finished.get("skippedTasks", [])
        if task["reason"] not in ("PipelineRun was stopping", "PipelineRun timeout has been reached")
    }
    ran = {record.pipeline_task for record in before.task_runs.values()}
    if not finished and any(record.pipeline_task in finals for record in before.task_runs.values()):
        return False  # final tasks had started, so every other task was done
    return any(node.name not in ran | skipped for node in prepared.nodes if not node.final)
