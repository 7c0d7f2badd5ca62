"""Tasks, field by field."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from penstock.tekton.manifest_task import Param, ParamSpec, TaskSpec


@pytest.mark.parametrize(
    ("fields", "kind"),
    [
        ({}, "string"),
        ({"default": "x"}, "string"),
        ({"default": ["x"]}, "array"),
        ({"default": {"a": "b"}}, "object"),
        ({"properties": {"a": {}}}, "object"),
        ({"type": "array"}, "array"),
        ({"type": ""}, "string"),
    ],
)
def test_type_of_a_parameter_is_inferred_as_tekton_does(fields: dict[str, Any], kind: str) -> None:
    assert ParamSpec.model_validate({"name": "p"} | fields).type == kind


def test_null_is_an_empty_text() -> None:
    assert Param.model_validate({"name": "p", "value": None}).value == ""
    with pytest.raises(ValidationError):
        Param.model_validate({"name": "p"})


@pytest.mark.parametrize("fields", [{"volumes": [{"name": "v", "emptyDir": {}}]}, {"surprise": 1}])
def test_what_a_process_cannot_have_is_refused(fields: dict[str, Any]) -> None:
    steps = [{"name": "s", "image": "i", "script": "true"}]
    assert TaskSpec.model_validate({"steps": steps}).steps
    with pytest.raises(ValidationError):
        TaskSpec.model_validate({"steps": steps} | fields)
