"""What Tekton's webhook checks in a Task."""

from __future__ import annotations

from typing import Any

import pytest

from penstock.tekton.manifest_task import TaskSpec
from penstock.tekton.problems import path_text
from penstock.tekton.validation_task import validate_task


def problems(step: dict[str, Any] | None = None, **fields: Any) -> list[str]:
    steps = [{"name": "s", "image": "i", "script": "true"} | (step or {})]
    return [
        path_text(problem.path) for problem in validate_task(TaskSpec.model_validate({"steps": steps} | fields), ())
    ]


@pytest.mark.parametrize(
    ("step", "fields", "field"),
    [
        ({"script": "echo $(params.list[*])"}, {"params": [{"name": "list", "type": "array"}]}, "steps[0].script"),
        ({}, {"params": [{"name": "p"}, {"name": "p"}]}, "params[1].name"),
        ({}, {"params": [{"name": "p", "type": "array", "default": "text"}]}, "params[0].default"),
    ],
)
def test_what_is_refused(step: dict[str, Any], fields: dict[str, Any], field: str) -> None:
    found = problems(step, **fields)
    assert any(name.startswith(field.rpartition(".")[0] or field) for name in found), found


def test_what_holds() -> None:
    declared = [{"name": "p"}, {"name": "list", "type": "array"}]
    assert problems({"script": "echo $(params.p)", "args": ["$(params.list[*])"]}, params=declared) == []
