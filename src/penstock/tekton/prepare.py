"""From a loaded pipeline and what the caller gives to a run that can start: parameters, contexts, workspaces, graph."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from penstock.tekton import matrix as matrices
from penstock.tekton.admission import TaskRunSpec, refusal
from penstock.tekton.apply import replace_spec
from penstock.tekton.graph import dependencies
from penstock.tekton.load_manifests import LoadedPipeline
from penstock.tekton.manifest import PipelineSpec, PipelineTask, Timeouts
from penstock.tekton.manifest_task import Param, TaskSpec
from penstock.tekton.params import (
    RunFailedError,
    check_params,
    invalid_task_params,
    parse_given,
    pipeline_replacements,
)
from penstock.tekton.problems import path_text
from penstock.tekton.references import result_refs
from penstock.tekton.run_outcome import RunTimeouts
from penstock.tekton.run_state import Facts, Node
from penstock.tekton.saved_run import digest
from penstock.tekton.substitute_pipeline import apply_task_context, apply_to_pipeline, task_run_names
from penstock.tekton.substitute_results import propagated_results
from penstock.tekton.substitution import Replacements, expressions, references, value_texts
from penstock.tekton.substitution import replace as replace_text
from penstock.tekton.taskrun import Job
from penstock.tekton.validation import validate_on_error
from penstock.tekton.validation_run import DEFAULT_TIMEOUT_S
from penstock.tekton.values import Value, type_name
from penstock.tekton.workspaces import RunWorkspace, TaskWorkspaceBinding, bind_run_workspaces


@dataclass
class Prepared:
    """A run that can start."""

    loaded: LoadedPipeline
    name: str
    uid: str
    pipeline_name: str
    spec: PipelineSpec
    """With parameters, contexts and workspaces put in."""
    params: list[Param]
    workspaces: dict[str, RunWorkspace]
    nodes: list[Node]
    limits: RunTimeouts
    timeouts: dict[str, float]
    """Timeouts of TaskRuns that the PipelineRun sets, by pipeline task."""

    @property
    def namespace(self) -> str:
        """The namespace that contexts name."""
        return self.loaded.namespace

    def task_spec(self, task: PipelineTask) -> TaskSpec:
        """What a pipeline task runs."""
        if task.task_spec is not None:
            return task.task_spec
        assert task.task_ref is not None  # noqa: S101
        return self.loaded.tasks[task.task_ref.name]

    def check_task_params(self) -> None:
        """Check the parameters of every pipeline task against its task.

        Raises:
            RunFailedError: they do not fit.
        """
        for node in self.nodes:
            if node.scheduled:
                continue
            task = node.task
            matrix = task.matrix.all_params() if task.matrix else []
            message = invalid_task_params(self.task_spec(task).params, task.params, matrix)
            if message:
                name = task.task_ref.name if task.task_ref else ""
                what = f"[User error] Validation failed for pipelinerun {self.name} with error invalid input params"
                raise RunFailedError("PipelineValidationFailed", f"{what} for task {name}: {message}")

    def jobs(self, node: Node, facts: Facts) -> Iterator[Job]:
        """The TaskRuns of a pipeline task that starts now, one after the other: those before a refused one are made.

        Raises:
            RunFailedError: a workspace or a matrix cannot be had, or a TaskRun is refused.
        """
        task = node.task
        names = task_run_names(self.name, task.name, matrices.count(task.matrix) if task.matrixed else 1)
        if task.matrixed:
            _check_matrix(facts)
        combinations = matrices.fan_out(task.matrix) if task.matrix is not None and task.matrixed else []
        spec = self.task_spec(task)
        if task.task_spec is not None:
            # a Task of its own is fetched anew for its TaskRun: only what is written inside is handed over with results
            spec = replace_spec(spec, propagated_results(facts.task_results()))
        lengths = {other.name: other.aggregated() for other in self.nodes if other.task.matrixed}
        for index, name in enumerate(names):
            task = apply_task_context(task, self.spec, lengths)
            own = combinations[index] if index < len(combinations) else []
            job = Job(
                name=name,
                pipeline_task=task.name,
                task=task.task_ref.name if task.task_ref else name,
                spec=spec,
                embedded=task.task_spec is not None,
                params=(*own, *task.params),
                bindings=tuple(self._bindings(task, spec, results_text(facts))),
                retries=task.retries,
                timeout_s=self._timeout(node),
                ignore_failure=task.on_error == "continue",
                namespace=self.namespace,
                uid=_child_uid(self.uid, name),
            )
            if message := refusal(_task_run_spec(job)):
                what = f"error creating TaskRun {name} for PipelineTask {task.name}: {message}"
                raise RunFailedError("CreateRunFailed", what)
            yield job

    def _timeout(self, node: Node) -> float:
        if node.name in self.timeouts:
            return self.timeouts[node.name]
        if node.task.timeout is not None:
            return node.task.timeout
        of_run = self.limits.finals if node.final else self.limits.tasks
        if of_run is not None and (of_run == 0 or of_run > DEFAULT_TIMEOUT_S):
            return of_run
        return DEFAULT_TIMEOUT_S

    def _bindings(self, task: PipelineTask, spec: TaskSpec, results: Replacements) -> list[TaskWorkspaceBinding]:
        wanted = [
            (workspace.name, workspace.workspace or workspace.name, workspace.sub_path) for workspace in task.workspaces
        ]
        if task.task_spec is not None:
            named = {name for name, _, _ in wanted}
            wanted += [(name, name, "") for name in sorted(used_workspaces(task.task_spec) - named)]
        optional = {workspace.name for workspace in spec.workspaces if workspace.optional}
        reference = self.loaded.run.spec.pipeline_ref if self.loaded.run is not None else None
        contexts = _contexts(reference.name if reference else "", self)
        bindings = []
        for name, source, sub_path in wanted:
            bound = self.workspaces.get(source)
            if bound is None:
                if name not in optional:
                    what = (
                        f'expected workspace "{source}" to be provided by pipelinerun for pipeline task "{task.name}"'
                    )
                    raise RunFailedError("CreateRunFailed", what)
                continue
            own = replace_text(bound.sub_path, results.strings)
            path = "/".join(part for part in (own, sub_path) if part)
            bindings.append(TaskWorkspaceBinding(name, bound.directory, replace_text(path, contexts), bound.claim))
        return bindings


def _task_run_spec(job: Job) -> TaskRunSpec:
    names = tuple(binding.name for binding in job.bindings)
    return TaskRunSpec(job.spec if job.embedded else None, job.params, names, job.retries, job.timeout_s)


def results_text(facts: Facts) -> Replacements:
    """Results as the subPath of a run's workspace can name them."""
    found = propagated_results(facts.task_results())
    return Replacements(found.strings)


def _check_matrix(facts: Facts) -> None:
    for node in facts.nodes:
        matrix = node.task.matrix
        if matrix is None:
            continue
        for param in matrix.params:
            if not isinstance(param.value, list) and not result_refs(expressions(value_texts(param.value))):
                raise _matrix_fault("array", param, node)
        for include in matrix.include:
            for param in include.params:
                if not isinstance(param.value, str):
                    raise _matrix_fault("string", param, node)


def _matrix_fault(wanted: str, param: Param, node: Node) -> RunFailedError:
    what = f'parameters of type {wanted} only are allowed, but param "{param.name}" has type "{type_name(param.value)}"'
    message = f'Failed to validate matrix: {what} in pipelineTask "{node.name}"'
    return RunFailedError("InvalidMatrixParameterTypes", message)


def used_workspaces(spec: TaskSpec) -> set[str]:
    """The workspaces that the steps, the template and the sidecars of a task name."""
    texts = []
    for container in (*spec.steps, *spec.sidecars, *([spec.step_template] if spec.step_template else [])):
        texts += [getattr(container, "script", ""), *container.args, *container.command, container.working_dir]
        texts += [env.value for env in container.env]
    return {name for text in texts for name in references(text, "workspaces").names if name}


def _child_uid(uid: str, name: str) -> str:
    text = digest([uid, name])
    return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-a{text[17:20]}-{text[20:32]}"


def _contexts(pipeline: str, run: Prepared) -> dict[str, str]:
    return {
        "context.pipelineRun.name": run.name,
        "context.pipeline.name": pipeline,
        "context.pipelineRun.namespace": run.namespace,
        "context.pipelineRun.uid": run.uid,
    }


def prepare(
    loaded: LoadedPipeline,
    params: Mapping[str, Value],
    workspaces: Mapping[str, Path],
    run_dir: Path,
    name: str,
    uid: str,
) -> Prepared:
    """Everything that the PipelineRun controller does before the first TaskRun.

    Raises:
        UsageError: a parameter cannot be read, a directory is not there, a volume is not available on this machine.
        RunFailedError: Tekton would end the run here, with this reason.
    """
    run = loaded.run
    pipeline_name = loaded.name or name
    given = parse_given(loaded.spec.params, params)
    names = {param.name for param in given}
    if run is not None:
        given = [param for param in run.spec.params if param.name not in names] + given
    bound = bind_run_workspaces(run.spec.workspaces if run else [], dict(workspaces), run_dir, uid)
    timeouts = run.spec.timeouts if run is not None else Timeouts()
    overrides = run.spec.task_run_specs if run is not None else []
    prepared = Prepared(
        loaded=loaded,
        name=name,
        uid=uid,
        pipeline_name=pipeline_name,
        spec=loaded.spec,
        params=given,
        workspaces=bound,
        nodes=[],
        limits=_limits(timeouts),
        timeouts={item.pipeline_task_name: item.timeout for item in overrides if item.timeout is not None},
    )
    check_params(loaded.spec, given, name, loaded.namespace, pipeline_name)
    _check_workspaces(prepared)
    tasks = {task.name for task in (*loaded.spec.tasks, *loaded.spec.finally_tasks)}
    for item in overrides:
        if item.pipeline_task_name not in tasks:
            message = (
                f"[User error] PipelineRun {loaded.namespace}/{name} doesn't define taskRunSpecs correctly:"
                f" pipelineRun's"
                f' taskrunSpecs defined wrong taskName: "{item.pipeline_task_name}", does not exist in Pipeline'
            )
            raise RunFailedError("InvalidTaskRunSpecs", message)
    _put_in(prepared)
    return prepared


def _check_workspaces(run: Prepared) -> None:
    for workspace in run.spec.workspaces:
        if not workspace.optional and workspace.name not in run.workspaces:
            pipeline = f"{run.namespace}/{run.pipeline_name}"
            raise RunFailedError(
                "InvalidWorkspaceBindings",
                f"[User error] PipelineRun {run.namespace}/{run.name} doesn't bind Pipeline {pipeline}'s Workspaces"
                f' correctly: pipeline requires workspace with name "{workspace.name}" be provided by pipelinerun',
            )


def _put_in(run: Prepared) -> None:
    subject = f"Pipeline {run.namespace}/{run.pipeline_name}"
    declared = run.loaded.spec
    try:
        replacements = pipeline_replacements(declared.params, run.params)
    except RunFailedError as failed:
        message = f"[User error] Failed to apply parameters to {subject}: {failed.message}"
        raise RunFailedError(failed.reason, message) from None
    own = Replacements()
    for param in run.params:
        own.add_param(param.name, param.value)
    run.workspaces = {
        name: replace(workspace, sub_path=replace_text(workspace.sub_path, own.strings))
        for name, workspace in run.workspaces.items()
    }
    spec = apply_to_pipeline(declared, replacements)
    spec = apply_to_pipeline(spec, Replacements(_contexts(run.pipeline_name, run)))
    bound = {f"workspaces.{workspace.name}.bound": "false" for workspace in declared.workspaces}
    bound |= {f"workspaces.{name}.bound": "true" for name in run.workspaces}
    run.spec = spec = apply_to_pipeline(spec, Replacements(bound))
    for task in (*spec.tasks, *spec.finally_tasks):
        for problem in validate_on_error(task, ()):
            what = f"{problem.message}: {path_text(problem.path)}"
            message = f"[User error] {subject} can't be Run; it has an invalid spec: {what}"
            raise RunFailedError("PipelineValidationFailed", message)
    parents = dependencies(declared.tasks, template=False)
    run.nodes = [Node(task, final=False, parents=parents[task.name]) for task in spec.tasks]
    run.nodes += [Node(task, final=True, parents=[]) for task in spec.finally_tasks]
    for node in run.nodes:
        node.parents = [parent for parent in node.parents if parent]
    run.check_task_params()
    _check_results(run)
    _check_optional(run)


def _check_results(run: Prepared) -> None:
    by_name = {node.name: node for node in run.nodes}

    def fault(task: str, result: str) -> str:
        node = by_name.get(task)
        if node is None:
            return f'referenced pipeline task "{task}" does not exist'
        if not any(declared.name == result for declared in run.task_spec(node.declared).results):
            return f'"{result}" is not a named result returned by pipeline task "{task}"'
        return ""

    for node in run.nodes:
        for ref in node.refs:
            if message := fault(ref.task, ref.result):
                what = f'[User error] invalid result reference in pipeline task "{node.name}": {message}'
                raise RunFailedError("InvalidTaskResultReference", what)
    for result in run.spec.results:
        for ref in result_refs(expressions(value_texts(result.value))):
            if message := fault(ref.task, ref.result):
                what = f'invalid pipeline result "{result.name}": {message}'
                message = f'Failed to resolve pipeline result reference for "{run.name}" with error {what}'
                raise RunFailedError("InvalidPipelineResultReference", message)


def _check_optional(run: Prepared) -> None:
    optional = {workspace.name for workspace in run.spec.workspaces if workspace.optional}
    for node in run.nodes:
        required = {workspace.name for workspace in run.task_spec(node.declared).workspaces if not workspace.optional}
        for workspace in node.declared.workspaces:
            if workspace.workspace in optional and workspace.name in required:
                raise RunFailedError(
                    "RequiredWorkspaceMarkedOptional",
                    f'[User error] Optional workspace not supported by task: pipeline workspace "{workspace.workspace}"'
                    f' is marked optional but pipeline task "{node.name}" requires it be provided',
                )


def _limits(timeouts: Timeouts) -> RunTimeouts:
    whole = DEFAULT_TIMEOUT_S if timeouts.pipeline is None else timeouts.pipeline
    tasks, finals = timeouts.tasks, timeouts.finally_tasks
    if tasks is None and finals is not None:
        tasks = None if 0 in (whole, finals) else whole - finals
    elif finals is None and tasks is not None:
        finals = None if 0 in (whole, tasks) else whole - tasks
    return RunTimeouts(whole, tasks, finals)


def input_digests(prepared: Prepared) -> dict[str, str]:
    """A digest of each thing that decides what a run does, by what it is called."""

    def dump(model: Any) -> str:
        return digest(model.model_dump(mode="json", by_alias=True))

    inputs = {"the pipeline": dump(prepared.loaded.spec)}
    if prepared.loaded.run is not None:
        inputs["the PipelineRun"] = digest(
            prepared.loaded.run.spec.model_dump(mode="json", exclude={"params", "workspaces", "pipeline_spec"})
        )
    inputs |= {f"the Task {name}": dump(task) for name, task in prepared.loaded.tasks.items()}
    inputs |= {f"the parameter {param.name}": digest(param.value) for param in prepared.params}
    for name, workspace in prepared.workspaces.items():
        inputs[f"the workspace {name}"] = digest([str(workspace.directory), workspace.sub_path])
    return inputs
