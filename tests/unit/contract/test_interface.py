"""The section ``interface``: where the document is, and the rules that come with it."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError
from tests.pipeline.pipeline_runs import contract

from penstock.contract.engine_rules import with_engine_rules
from penstock.contract.interface import ServiceInterface
from penstock.contract.models import Contract

CALL = {"http": {"argv": ["x"], "path": "/x", "response": "video/mp4"}}


def rules(policy: list[dict[str, Any]], **more: Any) -> dict[str, tuple[float | None, str]]:
    value = contract(call=CALL, checks=[], policy={"rules": policy}, **more)
    found = Contract.model_validate(value)
    return {rule.metric: (rule.max, rule.severity) for rule in with_engine_rules(found.policy, found).rules}


def test_a_path_of_the_service_or_a_file_of_the_repository() -> None:
    assert ServiceInterface(document="/openapi.json").served
    assert not ServiceInterface(document="docs/openapi.yaml").served
    for wrong in ("", "a b", "/x?y=1", "/x#y", "x" * 501):
        with pytest.raises(ValidationError):
            ServiceInterface(document=wrong)


def test_its_rules_come_with_it_unless_the_policy_has_its_own() -> None:
    duration = {"metric": "duration_error", "max": 1.0}
    own = {"metric": "interface_breaks", "max": 2, "severity": "warn"}
    assert rules([duration]) == {"duration_error": (1.0, "block")}
    assert rules([duration, own], interface={"document": "/openapi.json"}) == {
        "duration_error": (1.0, "block"),
        "interface_breaks": (2.0, "warn"),
        "interface_answers": (0.0, "block"),
        "interface_faults": (0.0, "block"),
    }
