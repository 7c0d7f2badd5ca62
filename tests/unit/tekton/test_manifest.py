"""Pipelines and PipelineRuns, field by field."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from penstock.tekton.manifest import MAX_NAME, Metadata


@pytest.mark.parametrize("name", ["A", "a_b", "-a", "a" * (MAX_NAME + 1), "a b"])
def test_names_that_cannot_be_labels(name: str) -> None:
    assert Metadata.model_validate({"name": "a" * MAX_NAME}).name
    with pytest.raises(ValidationError):
        Metadata.model_validate({"name": name})


@pytest.mark.parametrize(
    "fields", [{"finalizers": ["x"]}, {"ownerReferences": [{"name": "x"}]}, {"labels": {"a": 1}}, {"surprise": "x"}]
)
def test_what_means_something_only_on_a_cluster_is_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Metadata.model_validate({"name": "a"} | fields)


def test_what_a_cluster_adds_is_ignored() -> None:
    added = {"uid": "1", "resourceVersion": "2", "generation": 3, "managedFields": [{}], "selfLink": "x"}
    assert Metadata.model_validate({"name": "a"} | added).name == "a"
