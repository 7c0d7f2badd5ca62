"""One TaskRun from start to end: its attempts, its timeout, its condition, in Tekton's words."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from penstock.tekton import results as result_files
from penstock.tekton.manifest_base import format_duration
from penstock.tekton.manifest_task import Param, TaskSpec
from penstock.tekton.params import invalid_task_params
from penstock.tekton.run_json import Attempt, Event, OnEvent, TaskRunRecord
from penstock.tekton.sidecar import Sidecars
from penstock.tekton.step_run import StepsOutcome, Surroundings, clean, now_text, run_steps
from penstock.tekton.substitute_task import Places, TaskContext, apply_task, index_fault, remaining_faults
from penstock.tekton.supervisor import Ending, Stop
from penstock.tekton.workspaces import TaskWorkspaceBinding, WorkspaceUses

STOP_PIPELINE_TIMEOUT = "TaskRun cancelled as the PipelineRun it belongs to has timed out."
STOP_INTERRUPTED = "TaskRun cancelled as the PipelineRun it belongs to has been cancelled."


@dataclass(frozen=True)
class Job:
    """A TaskRun that is to be run."""

    name: str
    pipeline_task: str
    task: str
    """What ``$(context.task.name)`` says."""
    spec: TaskSpec
    embedded: bool
    """The task is written inside its pipeline."""
    params: tuple[Param, ...]
    bindings: tuple[TaskWorkspaceBinding, ...]
    retries: int
    timeout_s: float
    """0: no timeout."""
    ignore_failure: bool
    """``onError: continue`` of the pipeline task."""
    namespace: str
    uid: str


@dataclass(frozen=True)
class RunContext:
    """What all TaskRuns of a run share."""

    run_dir: Path
    environment: Mapping[str, str]
    emit: OnEvent
    uses: WorkspaceUses


def run_task(job: Job, machine: RunContext, stop: Stop) -> TaskRunRecord:
    """Run all attempts of a TaskRun and return how it ended.

    Args:
        job: what is run.
        machine: where and with what.
        stop: ends it early; its reason says whether a timeout of the run or the user did it.

    Raises:
        WorldError: the machine failed (full disk, no more processes), not the task.
    """
    record = TaskRunRecord(job.name, job.pipeline_task)
    while True:
        _attempt(job, machine, stop, record, len(record.retries))
        record.finished = now_text()
        cancelled = record.reason == "TaskRunCancelled"
        if record.status == "True" or cancelled or len(record.retries) >= job.retries:
            return record
        machine.emit(Event("taskrun-retried", job.pipeline_task, job.name, text=record.message))
        attempt = Attempt(
            record.reason,
            record.message,
            record.exit_code,
            record.failed_step,
            record.steps,
            record.started,
            record.finished,
        )
        record = TaskRunRecord(job.name, job.pipeline_task, retries=[*record.retries, attempt])


def _fail(record: TaskRunRecord, reason: str, message: str) -> None:
    record.status, record.reason, record.message = "False", reason, message


def _attempt(job: Job, machine: RunContext, stop: Stop, record: TaskRunRecord, number: int) -> None:
    record.started = now_text()
    if stop.requested:
        _cancelled(job, stop, record)
        return
    deadline = time.monotonic() + job.timeout_s if job.timeout_s else None
    if message := _invalid(job):
        _fail(record, "TaskRunValidationFailed", f"[User error] {message}")
        return
    directory = machine.run_dir / "taskruns" / job.name
    places = Places(directory)
    clean(directory)
    try:
        paths = {binding.name: binding.resolve(places.fresh(binding.name)) for binding in job.bindings}
    except ValueError as error:
        _fail(record, "CreateContainerConfigError", f"Failed to create pod due to config error: {error}")
        return
    context = TaskContext(job.task, job.name, job.namespace, job.uid, number)
    spec = apply_task(job.spec, list(job.params), context, list(job.bindings), paths, places)
    if message := remaining_faults(spec):
        what = "invalid TaskSpec" if job.embedded else f"missing or invalid Task {job.namespace}/{job.task}"
        _fail(record, "PodCreationFailed", f'failed to create task run pod "{job.name}": {message}. Maybe {what}')
        return
    around = Surroundings(
        places=places,
        logs=directory / "logs",
        environment=machine.environment,
        writable=(directory, *paths.values()),
        emit=machine.emit,
        pipeline_task=job.pipeline_task,
        task_run=job.name,
        stop=stop,
        deadline=deadline,
        run_dir=machine.run_dir,
        attempt=number,
    )
    read_only = {workspace.name for workspace in spec.workspaces if workspace.read_only}
    uses = [(path, name not in read_only) for name, path in paths.items()]
    with machine.uses.using(uses) as changed:
        outcome, sidecar_failure = _with_sidecars(spec, around)
    record.steps = outcome.steps
    _conclude(job, spec, outcome, sidecar_failure, record, stop)
    if changed and record.status == "True":
        names = sorted(name for name, path in paths.items() if path.resolve() in changed)
        _fail(record, "StepFailed", f"the task changed the read-only workspace {', '.join(names)}")


def _invalid(job: Job) -> str:
    """What the TaskRun controller refuses before it makes a pod."""
    if message := invalid_task_params(job.spec.params, list(job.params), []):
        return f"invalid input params for task {job.task}: {message}"
    if message := index_fault(job.spec, list(job.params)):
        return message
    bound = {binding.name for binding in job.bindings}
    for workspace in job.spec.workspaces:
        if not workspace.optional and workspace.name not in bound:
            return f'declared workspace "{workspace.name}" is required but has not been bound'
    declared = {workspace.name for workspace in job.spec.workspaces}
    for name in sorted(bound - declared) if not job.embedded else ():
        return f'workspace binding "{name}" does not match any declared workspace'
    return ""


def _with_sidecars(spec: TaskSpec, around: Surroundings) -> tuple[StepsOutcome, tuple[str, int] | None]:
    """Run steps beside the sidecars. Also returns the sidecar that makes the pod a failed one."""
    if not spec.sidecars:
        return run_steps(spec, around), None
    sidecars = Sidecars(spec, around)
    try:
        sidecars.start()
        ready = sidecars.wait_ready()
        outcome = StepsOutcome(ending=ready) if ready is not Ending.EXITED else run_steps(spec, around)
        ended = sidecars.ended()
    finally:
        sidecars.close()
    failed = [(name, code) for name, code in ended if code]
    everything_ended = len(ended) == len(spec.sidecars)
    # a pod whose containers have all ended, one of them badly, is a failed one
    if failed and (outcome.failed is not None or everything_ended):
        return outcome, failed[0]
    return outcome, None


def _conclude(
    job: Job,
    spec: TaskSpec,
    outcome: StepsOutcome,
    sidecar: tuple[str, int] | None,
    record: TaskRunRecord,
    stop: Stop,
) -> None:
    if outcome.ending is Ending.STOPPED:
        _cancelled(job, stop, record)
        return
    if outcome.ending is Ending.TIMED_OUT:
        message = f'TaskRun "{job.name}" failed to finish within "{format_duration(job.timeout_s)}"'
        _fail(record, "TaskRunTimeout", message)
        return
    failed = outcome.failed
    if failed is None and sidecar is None:
        record.status, record.reason, record.message = "True", "Succeeded", "All Steps have completed executing"
        record.exit_code = 0
    else:
        if failed is not None:
            record.exit_code, record.failed_step = failed.exit_code, failed.name
        if sidecar is not None:
            reason, message = "SidecarFailed", f'"sidecar-{sidecar[0]}" exited with code {sidecar[1]}: Error'
        elif failed is not None and failed.reason == "TimeoutExceeded":
            message = f'"step-{failed.name}" exited because the step exceeded the specified timeout limit'
            reason = "StepFailed"
        else:
            assert failed is not None  # noqa: S101
            reason, message = "StepFailed", f'"step-{failed.name}" exited with code {failed.exit_code}: Error'
        _fail(record, "FailureIgnored" if job.ignore_failure else reason, message)
    found = result_files.collect(spec, outcome.task_files, outcome.step_results)
    record.results, wrong = result_files.check(spec, found)
    if wrong:
        _fail(record, "TaskRunValidationFailed", f"[User error] {wrong}")


def _cancelled(job: Job, stop: Stop, record: TaskRunRecord) -> None:
    _fail(record, "TaskRunCancelled", f'TaskRun "{job.name}" was cancelled. {stop.reason}')
    record.timed_out_with_run = stop.reason == STOP_PIPELINE_TIMEOUT
