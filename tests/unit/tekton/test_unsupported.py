"""What a process cannot do that a container can is refused before anything runs."""

from __future__ import annotations

from typing import Any

import pytest

from penstock.tekton.manifest_task import TaskSpec
from penstock.tekton.problems import path_text
from penstock.tekton.unsupported import container_path, task_limits


def problems(**step: Any) -> list[str]:
    spec = TaskSpec.model_validate({"steps": [{"name": "s", "image": "i", "script": "true"} | step]})
    return [path_text(problem.path) for problem in task_limits(spec, ("spec",))]


@pytest.mark.parametrize(
    ("step", "field"),
    [
        ({"script": "#!win\nx"}, "spec.steps[0].script"),
        ({"script": "cat /tekton/results/x"}, "spec.steps[0].script"),
        ({"workingDir": "/workspace"}, "spec.steps[0].workingDir"),
        ({"env": [{"name": "A", "value": "/workspace/a"}]}, "spec.steps[0].env[0].value"),
        ({"results": [{"name": "r" * 201}]}, "spec.steps[0].results[0].name"),
    ],
)
def test_what_is_refused(step: dict[str, Any], field: str) -> None:
    assert problems() == []
    assert problems(**step) == [field]


@pytest.mark.parametrize("text", ["$(workspaces.source.path)/tekton", "./workspace", "my/workspace", "/workspaces"])
def test_path_that_only_looks_like_one_is_fine(text: str) -> None:
    assert list(container_path(text, ())) == []
    assert list(container_path(["/workspace/x"], ()))
