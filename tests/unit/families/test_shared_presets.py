"""What the presets of no one family send and take. Against servers as documented: tests/invocation/test_presets.py."""

from __future__ import annotations

import json
from typing import Any

import pytest

from penstock.contract.http_call import HttpCall
from penstock.contract.models import Case, Contract
from penstock.contract.request import JsonText, json_content, request_for
from penstock.families.registry import find_preset
from penstock.families.shared_presets import SHARED_PRESETS

CASE = Case(name="a", inputs={"image": "a.png", "first": "b.png", "second": "c.png"})
COG = {"body": {"json": {"input": {"photo": "{image|base64}", "scale": 2}}}, "response": "image/png"}


def contract(preset: str, **http: Any) -> Contract:
    return Contract.model_validate(
        {
            "version": 1,
            "name": "x",
            "family": "talking-head",
            "call": {"preset": preset, "http": {"argv": ["serve"], **http}},
            "suite": "s",
            "policy": {"rules": [{"metric": "latency", "max": 9}]},
        }
    )


def only_call(made: Contract) -> HttpCall:
    assert made.call.http is not None
    (call,) = made.call.http.named_calls.values()
    return call


def sent(made: Contract) -> Any:
    assert request_for(made, CASE).body == JsonText()
    return json.loads(json_content(made, CASE, "", lambda name, encoding: f"{name} as {encoding}"))


def test_any_family_finds_them() -> None:
    assert list(SHARED_PRESETS) == ["cog"]
    assert all(find_preset(name) is preset for name, preset in SHARED_PRESETS.items())


def test_cog_takes_the_contracts_inputs_and_a_prediction_that_succeeded() -> None:
    made = contract("cog", **COG)
    assert made.call.http is not None
    assert (made.call.http.ready, made.call.http.ready_json) == ("/health-check", {"$.status": "READY"})
    request, call = request_for(made, CASE), only_call(made)
    assert (request.method, request.target) == ("POST", "/predictions")
    assert sent(made) == {"input": {"photo": "image as base64", "scale": 2}}
    assert call.answer is not None
    assert (call.answer.path, call.answer.require) == ("$.output", {"$.status": "succeeded"})


def test_cog_leaves_what_comes_back_to_the_contract() -> None:
    with pytest.raises(ValueError, match="response"):
        contract("cog", body=COG["body"])
