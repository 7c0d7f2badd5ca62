"""From a task, its parameters and its workspaces to steps that can be run: Tekton's passes, one after the other."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from penstock.tekton.apply import replace_container, replace_spec, task_param_replacements
from penstock.tekton.manifest_task import Param, Sidecar, Step, TaskSpec, WorkspaceDeclaration
from penstock.tekton.params import out_of_bounds
from penstock.tekton.problems import path_text
from penstock.tekton.step_template import merged_steps
from penstock.tekton.substitution import Replacements
from penstock.tekton.validation_task import validate_task, validate_usage
from penstock.tekton.workspaces import TaskWorkspaceBinding


@dataclass(frozen=True)
class TaskContext:
    """What ``$(context...)`` says inside a task."""

    task: str
    task_run: str
    namespace: str
    uid: str
    retry_count: int


@dataclass(frozen=True)
class Places:
    """Where an attempt keeps its files."""

    root: Path

    @property
    def results(self) -> Path:
        """Where steps write the task's results."""
        return self.root / "results"

    @property
    def credentials(self) -> Path:
        """What ``$(credentials.path)`` names: empty, there are no credentials."""
        return self.root / "credentials"

    def step(self, name: str) -> Path:
        """The directory of a step: its results and its exit code."""
        return self.root / "steps" / name

    def fresh(self, workspace: str) -> Path:
        """A fresh directory for a workspace."""
        return self.root / "empty" / workspace

    def unmounted(self, workspace: str) -> Path:
        """What a step sees of a workspace that it has not asked for: a path where nothing is."""
        return self.root / "not-mounted" / workspace


def container_name(name: str, index: int) -> str:
    """``step-NAME``, or ``step-unnamed-INDEX``."""
    return f"step-{name}" if name else f"step-unnamed-{index}"


def index_texts(spec: TaskSpec) -> Iterable[str]:
    """The texts in which ``$(params.arr[0])`` is looked for."""
    for container in (*spec.steps, *spec.sidecars, *([spec.step_template] if spec.step_template else [])):
        if isinstance(container, Step | Sidecar):
            yield container.script
        yield from (container.name, container.image, container.image_pull_policy, container.working_dir)
        yield from (*container.command, *container.args)
        yield from (env.value for env in container.env)
    yield from (workspace.mount_path for workspace in spec.workspaces)


def index_fault(spec: TaskSpec, params: list[Param]) -> str:
    """Tekton's message if an index is beyond the end of an array parameter; else empty."""
    return out_of_bounds(spec.params, params, index_texts(spec))


def apply_task(
    spec: TaskSpec,
    params: list[Param],
    context: TaskContext,
    bindings: list[TaskWorkspaceBinding],
    paths: dict[str, Path],
    places: Places,
) -> TaskSpec:
    """The task with everything put in and the template merged into its steps.

    Args:
        spec: the task.
        params: its parameters.
        context: what ``$(context...)`` says.
        bindings: its workspaces.
        paths: the directory of each bound workspace.
        places: where this attempt keeps its files.
    """
    spec = replace_spec(spec, task_param_replacements(spec.params, params))
    spec = replace_spec(
        spec,
        Replacements(
            {
                "context.taskRun.name": context.task_run,
                "context.task.name": context.task,
                "context.taskRun.namespace": context.namespace,
                "context.taskRun.uid": context.uid,
                "context.task.retry-count": str(context.retry_count),
            }
        ),
    )
    spec = _results(spec, places)
    exit_codes = {
        f"steps.{container_name(step.name, index)}.exitCode.path": str(
            places.step(container_name(step.name, index)) / "exitCode"
        )
        for index, step in enumerate(spec.steps)
    }
    spec = replace_spec(spec, Replacements(exit_codes))
    spec = _workspaces(spec, bindings, paths, places)
    spec = replace_spec(spec, Replacements({"credentials.path": str(places.credentials)}))
    return spec.model_copy(update={"steps": merged_steps(spec)})


def remaining_faults(spec: TaskSpec) -> str:
    """What is still wrong once values are in: Tekton finds it when it makes the pod."""
    problems = [*validate_usage(merged_steps(spec), spec.params, ()), *validate_task(spec, ())]
    return "; ".join(dict.fromkeys(f"{problem.message}: {path_text(problem.path)}" for problem in problems))


def _results(spec: TaskSpec, places: Places) -> TaskSpec:
    steps = []
    for index, step in enumerate(spec.steps):
        directory = places.step(container_name(step.name, index)) / "results"
        own = Replacements()
        for result in step.results:
            for pattern in ("step.results.{}.path", 'step.results["{}"].path', "step.results['{}'].path"):
                own.strings[pattern.format(result.name)] = str(directory / result.name)
        steps.append(replace_container(step, own) if step.results else step)
    task = Replacements()
    for declared in spec.results:
        for pattern in ("results.{}.path", 'results["{}"].path', "results['{}'].path"):
            task.strings[pattern.format(declared.name)] = str(places.results / declared.name)
    return replace_spec(spec.model_copy(update={"steps": steps}), task)


def _workspaces(
    spec: TaskSpec, bindings: list[TaskWorkspaceBinding], paths: dict[str, Path], places: Places
) -> TaskSpec:
    declared = list(spec.workspaces)
    names = {workspace.name for workspace in declared}
    declared += [WorkspaceDeclaration(name=binding.name) for binding in bindings if binding.name not in names]
    users: list[Step | Sidecar] = [*spec.steps, *spec.sidecars]
    isolated = {usage.name for user in users for usage in user.workspaces}
    shared = Replacements()
    hidden: dict[str, str] = {}
    for workspace in declared:
        prefix = f"workspaces.{workspace.name}."
        bound = workspace.name in paths
        shared.strings[prefix + "bound"] = "true" if bound or not workspace.optional else "false"
        path = str(paths[workspace.name]) if bound else ""
        if workspace.name in isolated and bound:
            hidden[workspace.name] = str(places.unmounted(workspace.name))
        shared.strings[prefix + "path"] = path
        if bound:
            shared.strings[prefix + "volume"] = f"ws-{_fnv(workspace.name)}"
    for binding in bindings:
        shared.strings[f"workspaces.{binding.name}.claim"] = binding.claim
    if not hidden:
        return replace_spec(spec, shared)

    def own(user: Step | Sidecar) -> Replacements:
        mounted = {usage.name for usage in user.workspaces}
        unseen = {f"workspaces.{name}.path": path for name, path in hidden.items() if name not in mounted}
        return Replacements({**shared.strings, **unseen})

    spec = spec.model_copy(
        update={
            "steps": [replace_container(step, own(step)) for step in spec.steps],
            "sidecars": [replace_container(sidecar, own(sidecar)) for sidecar in spec.sidecars],
        }
    )
    return replace_spec(spec, shared)


def _fnv(text: str) -> str:
    """The suffix of a volume's name: FNV-1a, 32 bits, 5 hex digits."""
    value = 0x811C9DC5
    for byte in text.encode():
        value = (value ^ byte) * 0x01000193 & 0xFFFFFFFF
    return f"{value:x}"[:5].ljust(5, "0")
