"""The graph of a pipeline: which task waits for which, by ``runAfter`` and by the results that it uses."""

from __future__ import annotations

from collections.abc import Iterable

from penstock.tekton.manifest import PipelineTask
from penstock.tekton.manifest_task import Param, Step, When
from penstock.tekton.references import ResultRef, result_refs
from penstock.tekton.step_template import merged_steps
from penstock.tekton.substitution import expressions, value_texts


def when_texts(when: Iterable[When]) -> list[str]:
    """The texts of a ``when``."""
    return [text for expression in when for text in (expression.input, *expression.values)]


def param_texts(params: Iterable[Param]) -> list[str]:
    """The texts of parameter values."""
    return [text for param in params for text in value_texts(param.value)]


def _step_texts(step: Step) -> list[str]:
    return [
        step.name,
        step.image,
        step.image_pull_policy,
        step.script,
        step.working_dir,
        *step.command,
        *step.args,
        *(env.value for env in step.env),
    ]


def task_result_refs(task: PipelineTask, *, template: bool = True) -> list[ResultRef]:
    """The results that a pipeline task uses: in parameters, matrix, ``when``, and the steps written inside it.

    Args:
        task: the pipeline task.
        template: whether what its step template says counts too.
    """
    texts = [*param_texts(task.all_params()), *when_texts(task.when)]
    if task.task_spec is not None:
        for step in merged_steps(task.task_spec) if template else task.task_spec.steps:
            texts += _step_texts(step)
        for sidecar in task.task_spec.sidecars:
            texts += [sidecar.name, sidecar.image, sidecar.image_pull_policy, sidecar.script, sidecar.working_dir]
            texts += [*sidecar.command, *sidecar.args]
            texts += [env.value for env in sidecar.env]
    return result_refs(expressions(texts))


def dependencies(tasks: Iterable[PipelineTask], *, template: bool) -> dict[str, list[str]]:
    """For every task the names of the tasks it waits for, sorted. Names that do not exist are kept.

    Args:
        tasks: tasks of one pipeline.
        template: whether a result that only a step template names counts. Tekton's webhook builds the graph when it
            has merged templates into their steps, its controller before: such a task is admitted, but does not wait.
    """
    return {
        task.name: sorted({ref.task for ref in task_result_refs(task, template=template)} | set(task.run_after))
        for task in tasks
    }


def graph_fault(parents: dict[str, list[str]]) -> tuple[str, str] | None:
    """The task and the message if a dependency does not exist or the graph has a cycle."""
    waiting = {name: {parent for parent in names if parent in parents} for name, names in parents.items()}
    while free := [name for name, names in waiting.items() if not names]:
        for name in free:
            del waiting[name]
        for names in waiting.values():
            names.difference_update(free)
    if waiting:
        # what is left hangs on a cycle or is on it: walk upwards until a task comes again
        name, seen = min(waiting), []
        while name not in seen:
            seen.append(name)
            name = min(waiting[name])
        cycle = [*seen[seen.index(name) :], name]
        quoted = " depends on ".join(f'"{task}"' for task in cycle)
        return name, f"cycle detected; task {quoted}"
    for name, wanted in parents.items():
        for parent in wanted:
            if parent not in parents:
                return name, f"task {name} depends on {parent} but {parent} wasn't present in Pipeline"
    return None
