"""Where a run stands: which tasks are done, which are skipped and why, which may start, and how it ends.

Follows ``pkg/reconciler/pipelinerun/resources`` of Tekton Pipelines v1.15.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from penstock.tekton.graph import param_texts, task_result_refs, when_texts
from penstock.tekton.manifest import PipelineTask
from penstock.tekton.manifest_task import When
from penstock.tekton.params import RunFailedError
from penstock.tekton.references import ResultRef, looks_like_result
from penstock.tekton.run_json import Result, TaskRunRecord
from penstock.tekton.substitute_pipeline import apply_to_inputs
from penstock.tekton.substitute_results import result_replacements
from penstock.tekton.substitution import expressions

NOT_SKIPPED = "None"
WHEN_FALSE = "When Expressions evaluated to false"
PARENT_SKIPPED = "Parent Tasks were skipped"
STOPPING = "PipelineRun was stopping"
RESULTS_MISSING = "Results were missing"
RUN_TIMED_OUT = "PipelineRun timeout has been reached"
TASKS_TIMED_OUT = "PipelineRun Tasks timeout has been reached"
FINALLY_TIMED_OUT = "PipelineRun Finally timeout has been reached"
EMPTY_MATRIX = "Matrix Parameters have an empty array"


@dataclass
class Node:
    """A pipeline task and what became of it."""

    declared: PipelineTask
    """With parameters and contexts in it."""
    final: bool
    parents: list[str]
    task: PipelineTask = field(init=False)
    """With results in it, as far as they are there."""
    runs: list[TaskRunRecord] = field(default_factory=list)
    resolved: bool = False
    """All results that it refers to are there, and in :attr:`task`."""
    refs: list[ResultRef] = field(init=False)
    refers: bool = field(init=False)
    """Its parameters or ``when`` refer to results."""

    def __post_init__(self) -> None:
        self.task = self.declared
        self.refs = task_result_refs(self.declared)
        texts = [*param_texts(self.declared.params), *when_texts(self.declared.when)]
        self.refers = any(looks_like_result(expression) for expression in expressions(texts))

    @property
    def name(self) -> str:
        """The name of the pipeline task."""
        return self.declared.name

    @property
    def ignores_failure(self) -> bool:
        """``onError: continue``."""
        return self.declared.on_error == "continue"

    @property
    def scheduled(self) -> bool:
        """Whether it has TaskRuns."""
        return bool(self.runs)

    @property
    def successful(self) -> bool:
        """Whether all its TaskRuns succeeded."""
        return bool(self.runs) and all(run.status == "True" for run in self.runs)

    @property
    def any_failed(self) -> bool:
        """Whether one of its TaskRuns failed."""
        return any(run.status == "False" for run in self.runs)

    @property
    def failed(self) -> bool:
        """Whether one failed and all have ended."""
        return self.any_failed and all(run.done for run in self.runs)

    @property
    def running(self) -> bool:
        """Whether it has started and not ended."""
        return bool(self.runs) and not self.successful and not self.failed

    def cancelled(self, *, for_timeout: bool) -> bool:
        """Whether one of its TaskRuns was cancelled (for a timeout of the run) and all have ended."""
        return all(run.done for run in self.runs) and any(
            run.reason == "TaskRunCancelled" and (run.timed_out_with_run or not for_timeout) for run in self.runs
        )

    @property
    def reason(self) -> str:
        """What ``$(tasks.NAME.reason)`` says."""
        for run in self.runs:
            if run.status != "True":
                return run.reason
        return self.runs[0].reason if self.runs else ""

    def aggregated(self) -> dict[str, list[str]]:
        """The results of a task that fans out: for each, the texts of its TaskRuns in the order of their names."""
        results: dict[str, list[str]] = {}
        for run in sorted(self.runs, key=lambda run: run.name):
            for result in run.results:
                results.setdefault(result.name, []).append(result.value if isinstance(result.value, str) else "")
        return results

    def result(self, name: str) -> Result | None:
        """A result, aggregated if the task fans out."""
        if not self.task.matrixed:
            return self.runs[0].result(name) if self.runs else None
        values = self.aggregated().get(name)
        return None if values is None else Result(name, "array", list(values))


class ResultMissingError(Exception):
    """A result that a task refers to is not there.

    Args:
        task: the task that should have it.
        message: why it is not there.
    """

    def __init__(self, task: str, message: str) -> None:
        super().__init__(message)
        self.task = task
        self.message = message


@dataclass
class Clock:
    """What has been reached of the run's timeouts, at one moment."""

    run: bool = False
    tasks: bool = False
    finals: bool = False


class Facts:
    """The run at one moment. Made anew whenever something has changed."""

    def __init__(self, nodes: list[Node], clock: Clock) -> None:
        """``nodes`` come in the order of the pipeline."""
        self.nodes = nodes
        self.by_name = {node.name: node for node in nodes}
        self.clock = clock
        self.invalid: dict[str, str] = {}
        """Tasks that cannot start because a result is missing, and why."""
        self._skips: dict[str, str] = {}
        self._stopping: bool | None = None

    def forget(self) -> None:
        """Something has changed: work out anew what is skipped."""
        self._skips = {}
        self._stopping = None

    def resolve(self, run: str, namespace: str) -> None:
        """Put results into the tasks that have not started.

        Raises:
            RunFailedError: an index is beyond the end of an array result.
        """
        for node in self.nodes:
            if node.scheduled:
                continue
            node.task, node.resolved = node.declared, False
            try:
                found = self.results_of(node)
            except ResultMissingError:
                continue
            node.resolved = True
            for ref, result in found:
                if isinstance(result.value, list) and ref.index is not None and ref.index >= len(result.value):
                    size = len(result.value)
                    which = f"{ref.index} for Task {ref.task} Result {ref.result}"
                    raise RunFailedError(
                        "PipelineValidationFailed",
                        f"[User error] PipelineRun {namespace}/{run} can't be Run; couldn't resolve all references:"
                        f" array Result Index {which} is out of bound of size {size}",
                    )
            if found:
                node.task = apply_to_inputs(node.declared, result_replacements(found))

    def results_of(self, node: Node) -> list[tuple[ResultRef, Result]]:
        """The results that a task refers to.

        Raises:
            ResultMissingError: one of them is not there.
        """
        found = []
        for ref in node.refs:
            source = self.by_name.get(ref.task)
            if source is None:
                raise ResultMissingError(ref.task, f'could not find task "{ref.task}" referenced by result')
            if not source.successful and not source.failed:
                raise ResultMissingError(ref.task, f'task "{ref.task}" referenced by result was not finished')
            result = source.result(ref.result)
            if result is None:
                what = f"Could not find result with name {ref.result} for pipeline task {ref.task}"
                raise ResultMissingError(ref.task, f"Invalid task result reference: {what}")
            found.append((ref, result))
        return found

    def done(self, node: Node) -> bool:
        """Whether a task is skipped, has ended, or can never start."""
        return self.skipped(node) != NOT_SKIPPED or node.successful or node.failed or node.name in self.invalid

    def parents_done(self, node: Node) -> bool:
        """Whether everything that a task waits for is done."""
        return node.final or all(self.done(self.by_name[parent]) for parent in node.parents)

    @property
    def stopping(self) -> bool:
        """Whether a failure keeps other tasks from starting."""
        if self._stopping is None:
            self._stopping = any(
                (node.failed or node.name in self.invalid) and not node.ignores_failure
                for node in self.nodes
                if not node.final
            )
        return self._stopping

    def skipped(self, node: Node) -> str:
        """Why a task is skipped; ``None`` (the text) if it is not. Final tasks: see :meth:`final_skipped`."""
        if node.name not in self._skips:
            # parents first, without recursion: a pipeline may be a long chain
            queue = [node]
            while queue:
                open_parents = [name for name in queue[-1].parents if name not in self._skips]
                if open_parents:
                    queue += [self.by_name[name] for name in open_parents]
                else:
                    last = queue.pop()
                    self._skips.setdefault(last.name, self._skip(last))
        return self._skips[node.name]

    def _skip(self, node: Node) -> str:
        if node.final or node.scheduled or node.name in self.invalid:
            return NOT_SKIPPED
        if self.stopping:
            return STOPPING
        ready = self.parents_done(node)
        if ready and not _allowed(node.task.when):
            return WHEN_FALSE
        if any(self.skipped(self.by_name[parent]) not in (NOT_SKIPPED, WHEN_FALSE) for parent in node.parents):
            return PARENT_SKIPPED
        if ready and self._results_missing(node):
            return RESULTS_MISSING
        if ready and self.clock.run:
            return RUN_TIMED_OUT
        if ready and self.clock.tasks:
            return TASKS_TIMED_OUT
        return EMPTY_MATRIX if _empty_matrix(node.task) else NOT_SKIPPED

    def final_skipped(self, node: Node) -> str:
        """Why a final task is skipped; ``None`` (the text) if it is not."""
        if node.scheduled or not node.final or not self.tasks_done:
            return NOT_SKIPPED
        if self._results_missing(node):
            return RESULTS_MISSING
        if not _allowed(node.task.when):
            return WHEN_FALSE
        if self.clock.run:
            return RUN_TIMED_OUT
        if self.clock.finals:
            return FINALLY_TIMED_OUT
        return EMPTY_MATRIX if _empty_matrix(node.task) else NOT_SKIPPED

    def _results_missing(self, node: Node) -> bool:
        if node.resolved or not node.refers:
            return False
        try:
            self.results_of(node)
        except ResultMissingError as missing:
            source = self.by_name.get(missing.task)
            return source is not None and (node.ignores_failure or node.final or self.skipped(source) == WHEN_FALSE)
        return False

    @property
    def tasks_done(self) -> bool:
        """Whether all tasks that are not final are done."""
        return all(self.done(node) for node in self.nodes if not node.final)

    @property
    def finals_done(self) -> bool:
        """Whether all final tasks have ended."""
        return all(self.done(node) for node in self.nodes if node.final)

    def next_tasks(self) -> list[Node]:
        """The tasks that may start now. One whose results are missing keeps the others from starting, as in Tekton."""
        if self.stopping:
            return []
        candidates = [
            node
            for node in self.nodes
            if not node.final and not node.scheduled and not self.done(node) and self.parents_done(node)
        ]
        blocked = False
        for node in candidates:
            if message := self._missing_reference(node):
                self.invalid[node.name] = message
                blocked = True
        if blocked:
            self.forget()
        return [] if blocked else candidates

    def _missing_reference(self, node: Node) -> str:
        for ref in node.refs if not node.resolved else ():
            source = self.by_name.get(ref.task)
            if source is None:
                return f'Result reference error: Could not find ref "{ref.task}" in internal pipelineRunState'
            if not source.runs:
                return f'Result reference error: Internal result ref "{ref.task}" has zero-length TaskRuns'
            if any(run.result(ref.result) for run in source.runs):
                continue
            if source.successful:
                return (
                    f'task "{ref.task}" completed successfully but did not emit the result "{ref.result}", which is'
                    f' referenced by task "{node.name}"'
                )
            what = f"Could not find result with name {ref.result} for pipeline task {ref.task}"
            return f"Invalid task result reference: {what}"
        return ""

    def next_finals(self) -> list[Node]:
        """The final tasks that have not started, once all others are done."""
        return [node for node in self.nodes if node.final and not node.scheduled] if self.tasks_done else []

    def statuses(self) -> dict[str, str]:
        """What ``$(tasks.NAME.status)``, ``$(tasks.NAME.reason)`` and ``$(tasks.status)`` say."""
        strings: dict[str, str] = {}
        for node in self.nodes:
            if not node.final:
                strings[f"tasks.{node.name}.status"] = _status(node)
                strings[f"tasks.{node.name}.reason"] = node.reason
        strings["tasks.status"] = self._aggregate()
        return strings

    def _aggregate(self) -> str:
        if not self.tasks_done:
            return "None"
        aggregate = "Succeeded"
        for node in self.nodes:
            if not node.final:
                if node.any_failed:
                    return "Failed"
                if self.skipped(node) != NOT_SKIPPED:
                    aggregate = "Completed"
        return aggregate

    def task_results(self) -> dict[str, list[Result]]:
        """The results of the tasks that have ended, by task."""
        found: dict[str, list[Result]] = {}
        for node in self.nodes:
            if not node.successful and not node.failed:
                continue
            if node.task.matrixed:
                # only what another task has consumed is aggregated, as in Tekton
                if self._consumed(node) and (values := node.aggregated()):
                    found[node.name] = [Result(name, "array", list(items)) for name, items in values.items()]
            else:
                found[node.name] = node.runs[0].results
        return found

    def _consumed(self, node: Node) -> bool:
        return any(ref.task == node.name for other in self.nodes for ref in other.refs)


def status_of(nodes: Iterable[Node]) -> dict[str, str]:
    """``Succeeded``, ``Failed`` or ``None`` of each task."""
    return {node.name: _status(node) for node in nodes}


def _status(node: Node) -> str:
    if node.successful:
        return "Succeeded"
    return "Failed" if node.any_failed else "None"


def _allowed(when: list[When]) -> bool:
    return all((item.input in item.values) == (item.operator == "in") for item in when)


def _empty_matrix(task: PipelineTask) -> bool:
    return task.matrix is not None and any(param.value == [] for param in task.matrix.params)
