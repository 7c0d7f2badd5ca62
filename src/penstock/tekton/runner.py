"""Running a pipeline on this machine: starting tasks when they may start, ending them in time, going on after a break.

State is kept in ``run_dir/state.json``; each TaskRun has ``run_dir/taskruns/NAME`` with ``results/`` and ``logs/``.
"""

from __future__ import annotations

import queue
import re
import threading
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from penstock.foundation.errors import Interrupted, PenstockError, UsageError, WorldError
from penstock.tekton.load_manifests import LoadedPipeline
from penstock.tekton.params import RunFailedError
from penstock.tekton.prepare import Prepared, prepare
from penstock.tekton.resume import state_to_start
from penstock.tekton.run_json import Event, OnEvent, PipelineRunResult, TaskRunRecord, ignore_events
from penstock.tekton.run_outcome import Condition, condition, pipeline_results, skipped_tasks
from penstock.tekton.run_state import NOT_SKIPPED, Clock, Facts, Node
from penstock.tekton.saved_run import RunState, load_state, locked
from penstock.tekton.signals import signals_as_messages
from penstock.tekton.step_run import now_text
from penstock.tekton.substitute_pipeline import apply_status
from penstock.tekton.supervisor import Stop
from penstock.tekton.taskrun import STOP_INTERRUPTED, STOP_PIPELINE_TIMEOUT, Job, RunContext, run_task
from penstock.tekton.values import Value
from penstock.tekton.workspaces import WorkspaceUses

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")


def run_pipeline(
    loaded: LoadedPipeline,
    params: Mapping[str, Value],
    workspaces: Mapping[str, Path],
    run_dir: Path,
    *,
    name: str,
    environment: Mapping[str, str],
    max_parallel: int | None = None,
    on_event: OnEvent = ignore_events,
    resume: bool = False,
) -> PipelineRunResult:
    """Run a pipeline to its end.

    Args:
        loaded: what is run.
        params: parameters; they win over those of the PipelineRun. Text for an array is ``a,b`` or JSON.
        workspaces: directories for workspaces, by name; they win over the volumes of the PipelineRun.
        run_dir: where the run keeps its state, logs and results.
        name: the name of the run: what ``$(context.pipelineRun.name)`` says, and the start of TaskRuns' names.
        environment: what steps inherit, under their own variables.
        max_parallel: how many TaskRuns go on at once; without it as many as can.
        on_event: is told what happens, one event at a time, from any thread.
        resume: go on with the run in ``run_dir``: TaskRuns that succeeded are not run again.

    Returns:
        How it ended, also if it failed or Tekton would have refused to start it.

    Raises:
        UsageError: the run directory is in use, holds another run, or what is run has changed since.
        WorldError: the machine failed (disk, processes). The run can be resumed.
        Interrupted: SIGINT or SIGTERM came. Nothing is left running; the run can be resumed.
    """
    if not _NAME.fullmatch(name):
        todo = "Use up to 63 letters, digits, dots and hyphens."
        raise UsageError(f"'{name[:80]}' cannot be the name of a run", where="name", todo=todo)
    run_dir = run_dir.absolute()
    with locked(run_dir):
        before = load_state(run_dir)
        if before is None and resume:
            raise UsageError("there is no run to go on with", where=str(run_dir), todo="Start it without --resume.")
        if before is not None and not resume:
            what = f"there is already a run '{before.name}'"
            raise UsageError(what, where=str(run_dir), todo="Resume it, or choose another name.")
        if before is not None and before.name != name:
            raise UsageError(f"the run in this directory is called '{before.name}', not '{name}'", where=str(run_dir))
        uid = before.uid if before is not None else str(uuid.uuid4())
        started = now_text()
        try:
            prepared = prepare(loaded, params, workspaces, run_dir, name, uid)
            state = state_to_start(prepared, before, started)
        except RunFailedError as failed:
            failure = Condition("False", failed.reason, failed.message)
            result = PipelineRunResult(name, loaded.name or name, "False", failure.reason, failure.message)
            result.started, result.finished = started, now_text()
            return result
        state.save(run_dir)
        return _Scheduler(prepared, state, run_dir, environment, max_parallel, on_event).run()


@dataclass(frozen=True)
class _Ended:
    """A TaskRun has ended, or the thread that ran it was broken."""

    record: TaskRunRecord | None
    job: Job
    error: BaseException | None = None


class _Scheduler:
    def __init__(
        self,
        prepared: Prepared,
        state: RunState,
        run_dir: Path,
        environment: Mapping[str, str],
        max_parallel: int | None,
        on_event: OnEvent,
    ) -> None:
        self.run_of = prepared
        self.state = state
        self.run_dir = run_dir
        self.max_parallel = max_parallel if max_parallel and max_parallel > 0 else None
        self.listener = on_event
        self.listening = threading.Lock()
        self.machine = RunContext(run_dir, dict(environment), self.emit, WorkspaceUses())
        self.messages: queue.SimpleQueue[_Ended | int] = queue.SimpleQueue()
        self.waiting: list[tuple[Job, Stop]] = []
        self.running: dict[str, tuple[Job, Stop]] = {}
        self.broken: BaseException | None = None
        self.interrupted = False
        self.began = time.monotonic()
        self.finals_began: float | None = None
        self.told: set[str] = set()

    def emit(self, event: Event) -> None:
        """Tell the listener, one event at a time."""
        with self.listening:
            self.listener(event)

    def run(self) -> PipelineRunResult:
        """Run to the end."""
        self.emit(Event("run-started", text=self.run_of.name))
        with signals_as_messages(self.messages):
            try:
                result = self._loop()
            except BaseException:
                # whatever happened, nothing may be left running
                self._stop(STOP_INTERRUPTED, hurry=not self.interrupted)
                self._drain()
                raise
        self.state.finished = result.to_json()
        self.state.save(self.run_dir)
        self.emit(Event("run-finished", text=result.reason))
        return result

    def _loop(self) -> PipelineRunResult:
        while True:
            clock = self._clock()
            facts = Facts(self.run_of.nodes, clock)
            try:
                ending = self._pass(facts)
            except RunFailedError as failed:
                return self._finish(facts, Condition("False", failed.reason, failed.message), broken_off=True)
            if ending is not None:
                return self._finish(facts, ending)
            self._launch()
            self._wait(self._next_deadline())
            self._raise_if_broken()

    def _pass(self, facts: Facts) -> Condition | None:
        """One look at the whole run, as one reconciliation of the controller. Returns the condition if it is over."""
        run = self.run_of
        facts.resolve(run.name, run.namespace)
        run.check_task_params()
        self._end_late(facts)
        starting = facts.next_tasks()
        for node in facts.next_finals():
            node.task = apply_status(node.task, facts.statuses())
            if facts.final_skipped(node) == NOT_SKIPPED and (node.resolved or not node.refs):
                starting.append(node)
        started = False
        for node in starting:
            if node.final and self.finals_began is None:
                self.finals_began = time.monotonic()
            if facts.skipped(node) == NOT_SKIPPED and facts.final_skipped(node) == NOT_SKIPPED:
                self._start(node, facts)
                started = True
        facts.forget()
        now = condition(facts, run.name, run.limits)
        self._tell_skipped(facts)
        if now.status != "Unknown":
            return now
        if not started and not self.running and not self.waiting:
            # nothing can ever happen again: on a cluster such a run waits for its timeout
            facts.clock.run = True
            return condition(facts, run.name, run.limits)
        return None

    def _start(self, node: Node, facts: Facts) -> None:
        """Make the TaskRuns of a pipeline task.

        Raises:
            RunFailedError: one of them is refused. Those before it have been made, as on a cluster.
        """
        taken = {record.name for other in self.run_of.nodes for record in other.runs}
        for job in self.run_of.jobs(node, facts):
            if job.name in taken:
                raise RunFailedError("CreateRunFailed", f'there are two TaskRuns named "{job.name}"')
            kept = self.state.task_runs.get(job.name)
            if kept is not None and kept.done:
                node.runs.append(kept)
                self.emit(Event("taskrun-reused", job.pipeline_task, job.name, text=kept.reason))
                self.messages.put(_Ended(kept, job))
                continue
            record = TaskRunRecord(job.name, job.pipeline_task)
            node.runs.append(record)
            self.waiting.append((job, Stop()))
        if not node.runs:
            raise RunFailedError("CreateRunFailed", f'the matrix of pipeline task "{node.name}" has no combinations')

    def _launch(self) -> None:
        while self.waiting and (self.max_parallel is None or len(self.running) < self.max_parallel):
            job, stop = self.waiting.pop(0)
            record = self._record(job)
            record.status, record.reason, record.started = "Unknown", "Running", now_text()
            self.state.task_runs[job.name] = record
            self.state.save(self.run_dir)
            self.emit(Event("taskrun-started", job.pipeline_task, job.name))
            self._thread(job, stop)

    def _thread(self, job: Job, stop: Stop) -> None:
        self.running[job.name] = (job, stop)
        try:
            threading.Thread(target=self._work, args=(job, stop), name=job.name, daemon=True).start()
        except RuntimeError as error:
            del self.running[job.name]
            stop.close()
            raise WorldError(f"cannot start a thread: {error}", todo="Free memory and resume the run.") from error

    def _record(self, job: Job) -> TaskRunRecord:
        node = next(node for node in self.run_of.nodes if node.name == job.pipeline_task)
        return next(record for record in node.runs if record.name == job.name)

    def _work(self, job: Job, stop: Stop) -> None:
        try:
            self.messages.put(_Ended(run_task(job, self.machine, stop), job))
        except BaseException as error:
            self.messages.put(_Ended(None, job, error))

    def _wait(self, deadline: float | None) -> None:
        """Wait for one message, or for the next timeout of the run."""
        try:
            timeout = None if deadline is None else max(deadline - time.monotonic(), 0) + 0.001
            self._take(self.messages.get(timeout=timeout))
            while True:
                self._take(self.messages.get_nowait())
        except queue.Empty:
            return

    def _take(self, message: _Ended | int) -> None:
        if isinstance(message, int):
            hurry = self.interrupted
            self.interrupted = True
            self._stop(STOP_INTERRUPTED, hurry=hurry)
            return
        entry = self.running.pop(message.job.name, None)
        if entry is None:
            return  # it was taken over from an earlier run
        entry[1].close()
        if message.record is None:
            self.broken = self.broken or message.error
            self.state.task_runs.pop(message.job.name, None)
            self._stop(STOP_INTERRUPTED)
            return
        self._note(message.record, message.job)
        self.state.save(self.run_dir)

    def _note(self, ended: TaskRunRecord, job: Job) -> None:
        record = self._record(job)
        for field_name, value in vars(ended).items():
            setattr(record, field_name, value)
        if (self.interrupted or self.broken is not None) and record.reason == "TaskRunCancelled":
            self.state.task_runs.pop(record.name, None)
        self.emit(
            Event("taskrun-finished", record.pipeline_task, record.name, text=record.reason, exit_code=record.exit_code)
        )

    def _raise_if_broken(self) -> None:
        if not self.interrupted and self.broken is None:
            return
        self._drain()
        self.state.save(self.run_dir)
        if self.broken is not None:
            raise self.broken
        raise Interrupted("the run was interrupted", where=str(self.run_dir), todo="Resume it: what was done is kept.")

    def _drain(self) -> None:
        """Wait until everything that was started has ended, whatever goes wrong meanwhile."""
        for _, stop in self.waiting:
            stop.close()
        self.waiting = []
        while self.running:
            try:
                self._take(self.messages.get())
            except (PenstockError, OSError) as error:
                self.broken = self.broken or error
                self._stop(STOP_INTERRUPTED)

    def _stop(self, reason: str, *, hurry: bool = False) -> None:
        for _, stop in self.running.values():
            stop.set(reason, hurry=hurry)

    def _clock(self) -> Clock:
        limits, elapsed = self.run_of.limits, time.monotonic() - self.began
        finals = limits.finals
        return Clock(
            run=bool(limits.run) and elapsed > limits.run,
            tasks=bool(limits.tasks) and limits.tasks is not None and elapsed > limits.tasks,
            finals=bool(finals)
            and finals is not None
            and self.finals_began is not None
            and time.monotonic() - self.finals_began > finals,
        )

    def _next_deadline(self) -> float | None:
        limits, now = self.run_of.limits, time.monotonic()
        times = [self.began + limit for limit in (limits.run, limits.tasks) if limit]
        if limits.finals and self.finals_began is not None:
            times.append(self.finals_began + limits.finals)
        later = [moment for moment in times if moment > now]
        return min(later) if later else None

    def _end_late(self, facts: Facts) -> None:
        """Cancel what runs past the timeout of the tasks, or of the final tasks."""
        late = facts.clock.finals if self.finals_began is not None else facts.clock.tasks
        if not late:
            return
        final = self.finals_began is not None
        names = {node.name for node in facts.nodes if node.final == final and node.running}
        self._cancel({job.name for job, _ in (*self.running.values(), *self.waiting) if job.pipeline_task in names})

    def _cancel(self, task_runs: set[str]) -> None:
        for name, (_, stop) in self.running.items():
            if name in task_runs and not stop.requested:
                stop.set(STOP_PIPELINE_TIMEOUT)
        # those that wait for their turn are started only to be cancelled: their record says so
        for job, stop in [entry for entry in self.waiting if entry[0].name in task_runs]:
            stop.set(STOP_PIPELINE_TIMEOUT)
            self.waiting.remove((job, stop))
            self.state.task_runs[job.name] = self._record(job)
            self._thread(job, stop)

    def _tell_skipped(self, facts: Facts) -> None:
        for task in skipped_tasks(facts):
            if task.name not in self.told:
                self.told.add(task.name)
                self.emit(Event("task-skipped", task.name, text=task.reason))

    def _finish(self, facts: Facts, ending: Condition, *, broken_off: bool = False) -> PipelineRunResult:
        """The result of the run as it is now. What has been made runs to its end first; nothing else starts.

        Args:
            facts: the run at this moment.
            ending: its condition.
            broken_off: the controller gave up: it works out no results, and no more skipped tasks.
        """
        run = self.run_of
        skipped = [task for task in skipped_tasks(facts) if not broken_off or task.name in self.told]
        results, message = ([], "") if broken_off else pipeline_results(run.spec, facts)
        if facts.clock.run:
            self._cancel({job.name for job, _ in (*self.running.values(), *self.waiting)})
        while self.running or (self.waiting and not self.interrupted and self.broken is None):
            self._launch()
            self._take(self.messages.get())
        self._raise_if_broken()
        if message:
            what = f"Failed to get PipelineResult from TaskRun Results for PipelineRun {run.name}: {message}"
            ending = Condition("False", "CouldntGetPipelineResult", what)
        records = [record for node in run.nodes for record in node.runs if record.started or record.done]
        return PipelineRunResult(
            name=run.name,
            pipeline=run.pipeline_name,
            status=ending.status,
            reason=ending.reason,
            message=ending.message,
            results=results,
            skipped_tasks=skipped,
            task_runs=records,
            started=self.state.started,
            finished=now_text(),
        )
