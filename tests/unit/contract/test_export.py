"""``export`` of the contract: what is refused, and the rule that comes with it."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from penstock.contract.export import Export, with_export_rule
from penstock.contract.models import Contract
from penstock.contract.policy import Policy, Rule

EXPORT = {"argv": ["python", "export.py", "net.bin", "{output}"], "weights": "net.onnx"}


def contract(*, env: dict[str, str] | None = None, export: dict[str, Any] | None = EXPORT) -> Contract:
    call = {"command": {"argv": ["x"]}, "env": env or {}}
    policy = {"rules": [{"metric": "mae", "max": 1.0}]}
    whole = {"version": 1, "name": "cut", "family": "matting", "call": call, "suite": "suite", "policy": policy}
    return Contract.model_validate(whole | {"export": export})


def test_what_it_leaves_out() -> None:
    assert contract(export=None).export is None
    export = contract().export
    assert export is not None
    assert (export.switch, export.slice, export.limits, export.timeout_s) == ("USE_ONNX", None, {}, 600.0)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"argv": []}, "at least 1 item"),
        ({"switch": "USE-ONNX"}, "pattern"),
        ({"limits": {"mae": -0.1}}, "greater than or equal to 0"),
        ({"limits": {"mae": float("nan")}}, "finite"),
        ({"timeout_s": 0.0}, "greater than 0"),
        ({"over": "block"}, "Extra inputs"),
    ],
)
def test_what_cannot_be_meant_is_refused(changed: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        Export.model_validate(EXPORT | changed)


def test_a_release_that_goes_on_with_the_trained_weights_says_so_unless_the_policy_decides_otherwise() -> None:
    export = Export.model_validate(EXPORT)
    policy = Policy(rules=[Rule(metric="mae", max=1.0)])
    assert with_export_rule(policy, None) is policy
    added = with_export_rule(policy, export).rules[-1]
    assert (added.metric, added.min, added.severity) == ("export", 1.0, "warn")
    own = Policy(rules=[Rule(metric="export", min=1.0)])
    assert with_export_rule(own, export) is own
