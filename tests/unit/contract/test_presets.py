"""What a preset fills of the contract's ``call``, and what the contract says over it."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.contract.test_request import SONIC, contract

from penstock.contract.models import Contract
from penstock.contract.presets import with_preset
from penstock.families.registry import find_preset, preset_names


def test_a_preset_stands_below_what_the_contract_says_field_by_field() -> None:
    own = {
        "preset": "rmbg",
        "http": {
            "argv": ["serve"],
            "path": "/v2",
            "body": {"json": {"size": 7}},
            "answer": {"require": {"$.ok": True}},
        },
        "parameters": {"n": 1},
        "timeout_s": 5,
    }
    assert with_preset("rmbg", own) == {
        "preset": "rmbg",
        "http": {
            "argv": ["serve"],
            "method": "POST",
            "path": "/v2",
            "body": {"json": {"image": "{image|base64}", "size": 7}},
            "answer": {"json": "$.image", "require": {"$.ok": True}},
            "response": "image/png",
        },
        "parameters": {"n": 1, "scale_over": 2000, "scale_to": 1024},
        "timeout_s": 5,
    }


def test_a_value_takes_the_place_of_a_mapping_and_a_mapping_that_of_nothing() -> None:
    filled = with_preset("cog", {"http": {"body": None, "headers": {"X-A": "b"}}})
    assert filled["http"]["body"] is None
    assert filled["http"]["headers"] == {"X-A": "b"}
    assert filled["http"]["ready_json"] == {"$.status": "READY"}


def test_parameters_are_filled_where_the_contract_gives_some_and_where_it_gives_none() -> None:
    assert with_preset("sonic", {})["parameters"]["inference_steps"] == 25
    given = with_preset("sonic", {"parameters": {"inference_steps": 4}})["parameters"]
    assert (given["inference_steps"], given["min_resolution"]) == (4, 1024)


@pytest.mark.parametrize("call", [{"http": ["serve"], "parameters": [1]}, {"http": "serve", "parameters": None}])
def test_what_is_no_mapping_stays_for_the_contract_s_own_error(call: dict[str, Any]) -> None:
    assert with_preset("sonic", call) == call


def test_without_a_service_nothing_of_one_is_filled() -> None:
    assert "http" not in with_preset("sonic", {"command": {"argv": ["x"]}})


def test_of_an_unknown_preset_nothing_is_filled() -> None:
    call = {"http": {"argv": ["serve"]}}
    assert with_preset("soinc", call) == call


def test_neither_the_preset_nor_what_is_given_changes() -> None:
    call = {"http": {"body": {"json": {"input": {"image": "{image|data-url}"}}}}, "parameters": {"n": 1}}
    with_preset("cog", call)["parameters"]["m"] = 2
    assert call == {"http": {"body": {"json": {"input": {"image": "{image|data-url}"}}}}, "parameters": {"n": 1}}
    preset = find_preset("cog")
    assert preset is not None
    assert preset.http["body"] == {"json": {"input": {}}}


def test_filling_twice_changes_nothing() -> None:
    made = contract(SONIC)
    assert Contract.model_validate(made.model_dump()) == made


def test_presets_can_be_written_and_read_again() -> None:
    own = {"cog": {"response": "image/png", "body": {"json": {"input": {"image": "{image|data-url}"}}}}}
    for name in preset_names():
        made = contract({"preset": name, "http": {"argv": ["serve"], **own.get(name, {})}})
        assert Contract.model_validate(made.model_dump()) == made
        assert Contract.model_validate_json(made.model_dump_json()) == made
