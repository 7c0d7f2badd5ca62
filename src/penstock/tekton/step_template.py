"""Merging the step template into a step, as Kubernetes' strategic merge does."""

from __future__ import annotations

from penstock.tekton.manifest_task import EnvVar, Step, StepTemplate, TaskSpec


def merged_steps(spec: TaskSpec) -> list[Step]:
    """The steps of a task with its template in them: all that Tekton checks in steps, it checks in these."""
    return [merge_template(step, spec.step_template) for step in spec.steps]


def merge_template(step: Step, template: StepTemplate | None) -> Step:
    """The step, with what the template says where the step says nothing. Variables are merged by name."""
    if template is None:
        return step
    return step.model_copy(
        update={
            "image": step.image or template.image,
            "image_pull_policy": step.image_pull_policy or template.image_pull_policy,
            "command": step.command or template.command,
            "args": step.args or template.args,
            "working_dir": step.working_dir or template.working_dir,
            "env": _merge_env(step.env, template.env),
        }
    )


def _merge_env(own: list[EnvVar], template: list[EnvVar]) -> list[EnvVar]:
    """The step's variables in their order; those of the template keep theirs where it is known to come first.

    Kubernetes sorts what only the template has before a variable of the step only if the template has both, in that
    order; else the step's come first. The order decides what ``$(NAME)`` in a value can refer to.
    """
    if not own:
        return list(template)
    order = [env.name for env in template]
    names = {env.name for env in own}
    values = {env.name: env.value for env in template}
    left = [env for env in template if env.name not in names]
    right = [env if env.value else EnvVar(name=env.name, value=values.get(env.name, "")) for env in own]
    merged: list[EnvVar] = []
    while left and right:
        earlier = right[0].name in order and order.index(left[0].name) < order.index(right[0].name)
        merged.append(left.pop(0) if earlier else right.pop(0))
    return merged + left + right
