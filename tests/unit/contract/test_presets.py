from __future__ import annotations

from typing import Any

import pytest

from penstock.contract.models import Case, Contract
from penstock.contract.presets import command_argv, request_fields, request_files, service_argv
from penstock.foundation.errors import UsageError


def contract(call: dict[str, Any]) -> Contract:
    rules = [{"metric": "lse_d", "max": 9.0}]
    return Contract.model_validate(
        {"version": 1, "name": "x", "family": "talking-head", "call": call, "suite": "s", "policy": {"rules": rules}}
    )


def case(**parameters: Any) -> Case:
    return Case(name="a", inputs={"image": "a.png", "audio": "a.wav"}, parameters=parameters)


SONIC = {"preset": "sonic", "http": {"argv": ["serve", "--port={port}", "{{port}}", '{"a": {"b": 1}}']}}


def test_sonic_is_the_interface_of_the_systems_table() -> None:
    made = contract(SONIC)
    assert made.call.http is not None
    assert (made.call.http.method, made.call.http.path, made.call.http.response) == ("POST", "/generate", "video/mp4")
    assert request_files(made, case()) == {"image": "image", "audio": "audio"}
    assert request_fields(made, case(duration=2.5)) == {
        "duration": "2.5",
        "min_resolution": "1024",
        "expand_ratio": "0.18",
        "inference_steps": "25",
        "dynamic_scale": "1.1",
        "motion_scale": "1.05",
        "lip_sync_align": "true",
        "smooth_motion": "true",
    }
    assert service_argv(made, 8123) == ["serve", "--port=8123", "{port}", '{"a": {"b": 1}}']


def test_case_goes_before_contract_goes_before_preset() -> None:
    made = contract({**SONIC, "parameters": {"inference_steps": 10, "motion_scale": 2}})
    fields = request_fields(made, case(duration=1, inference_steps=4, smooth_motion=False))
    assert (fields["inference_steps"], fields["motion_scale"], fields["smooth_motion"]) == ("4", "2", "false")
    assert fields["dynamic_scale"] == "1.1"
    own = contract(
        {"preset": "sonic", "http": {"argv": ["x"], "path": "/v2", "fields": {"min_resolution": 512, "seed": 7}}}
    )
    assert own.call.http is not None
    assert own.call.http.path == "/v2"
    fields = request_fields(own, case(duration=1))
    assert (fields["min_resolution"], fields["seed"], fields["inference_steps"]) == ("512", "7", "25")


def test_filling_twice_changes_nothing() -> None:
    made = contract(SONIC)
    assert Contract.model_validate(made.model_dump()) == made


def test_a_parameter_that_nobody_gives_is_named() -> None:
    with pytest.raises(
        UsageError, match=r"call.http.fields.duration: the case 'a' has nothing that fills '\{duration\}'"
    ):
        request_fields(contract(SONIC), case())
    with pytest.raises(UsageError, match=r"call.http.argv\[1\]: nothing fills '\{prot\}'"):
        service_argv(contract({"preset": "sonic", "http": {"argv": ["x", "{prot}"]}}), 1)
    with pytest.raises(UsageError, match="the case 'b' has no input 'audio'"):
        request_files(contract(SONIC), Case(name="b", inputs={"image": "a.png"}))


def test_command_arguments() -> None:
    made = contract(
        {"command": {"argv": ["demo", "{image}", "--n={n}", "{output}", "{{image}}"]}, "parameters": {"n": 3}}
    )
    paths = {"image": "/in/{n}.png", "audio": "/in/a.wav", "output": "/out/o.mp4"}
    # what comes in is not expanded again
    assert command_argv(made, case(), paths) == ["demo", "/in/{n}.png", "--n=3", "/out/o.mp4", "{image}"]
    with pytest.raises(UsageError, match="calls no HTTP service"):
        request_fields(made, case())
    with pytest.raises(UsageError, match="calls no command"):
        command_argv(contract(SONIC), case(), paths)


def test_preset_and_command_do_not_go_together() -> None:
    with pytest.raises(ValueError, match="the preset 'sonic' is an HTTP interface"):
        contract({"preset": "sonic", "command": {"argv": ["x"]}})
