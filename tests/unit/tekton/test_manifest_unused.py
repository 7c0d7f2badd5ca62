"""Kubernetes' types change nothing here, but what a cluster would refuse is refused here too."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from penstock.tekton.manifest_unused import EmptyDir, ResourceRequirements, SecurityContext


@pytest.mark.parametrize(
    ("model", "fields"),
    [
        (SecurityContext, {"runAsUser": 1, "capabilities": {"drop": ["ALL"]}, "seccompProfile": {"type": "x"}}),
        (ResourceRequirements, {"limits": {"cpu": "500m", "memory": "64Mi"}, "requests": {"cpu": 0.5}}),
        (EmptyDir, {"medium": "Memory", "sizeLimit": "1Gi"}),
    ],
)
def test_what_a_cluster_takes(model: type[BaseModel], fields: dict[str, Any]) -> None:
    model.model_validate(fields)
    with pytest.raises(ValidationError):
        model.model_validate(fields | {"surprise": 1})


@pytest.mark.parametrize(
    ("model", "fields"),
    [
        (SecurityContext, {"runAsUser": "root"}),
        (SecurityContext, {"capabilities": {"drop": "ALL"}}),
        (ResourceRequirements, {"limits": {"cpu": "lots"}}),
        (ResourceRequirements, {"limits": ["cpu"]}),
    ],
)
def test_what_a_cluster_refuses(model: type[BaseModel], fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        model.model_validate(fields)
