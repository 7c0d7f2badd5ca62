"""What Tekton's webhook checks in a PipelineRun."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.tekton.documents import pipeline_run, task

from penstock.tekton.manifest import PipelineRunDocument
from penstock.tekton.problems import path_text
from penstock.tekton.validation_run import validate_run


def problems(**fields: Any) -> list[str]:
    document = PipelineRunDocument.model_validate(pipeline_run(task("a"), run=fields))
    return [path_text(problem.path) for problem in validate_run(document)]


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"timeouts": {"tasks": "2h"}}, "spec.timeouts.tasks"),
        ({"timeouts": {"pipeline": "1h", "tasks": "40m", "finally": "30m"}}, "spec.timeouts.tasks"),
        ({"timeouts": {"pipeline": "10m", "finally": "0"}}, "spec.timeouts.finally"),
        ({"params": [{"name": "x", "value": "$(tasks.a.results.r)"}]}, "spec.params[0].value"),
        ({"params": [{"name": "x", "value": "/workspace/y"}]}, "spec.params[0].value"),
    ],
)
def test_what_is_refused(fields: dict[str, Any], field: str) -> None:
    assert field in problems(**fields)


def test_what_holds() -> None:
    assert problems(timeouts={"pipeline": "1h", "tasks": "40m", "finally": "20m"}) == []
    assert problems(timeouts={"pipeline": "0", "tasks": "5h"}) == []
