from __future__ import annotations

import json
from typing import Any

import pytest

from penstock.contract.models import Case, Contract
from penstock.contract.request import Multipart, calls_of, command_argv, json_content, request_for, service_argv
from penstock.foundation.errors import UsageError


def contract(call: dict[str, Any]) -> Contract:
    rules = [{"metric": "lse_d", "max": 9.0}]
    return Contract.model_validate(
        {"version": 1, "name": "x", "family": "talking-head", "call": call, "suite": "s", "policy": {"rules": rules}}
    )


def case(**parameters: Any) -> Case:
    return Case(name="a", inputs={"image": "a.png", "audio": "a.wav"}, parameters=parameters)


def fields_of(made: Contract, of: Case) -> dict[str, str]:
    body = request_for(made, of).body
    assert isinstance(body, Multipart)
    return body.fields


SONIC = {"preset": "sonic", "http": {"argv": ["serve", "--port={port}", "{{port}}", '{"a": {"b": 1}}']}}


def test_sonic_is_the_interface_of_the_systems_table() -> None:
    made = contract(SONIC)
    assert made.call.http is not None
    assert (made.call.http.method, made.call.http.path, made.call.http.response) == ("POST", "/generate", "video/mp4")
    request = request_for(made, case(duration=2.5))
    assert isinstance(request.body, Multipart)
    assert request.body.files == {"image": "image", "audio": "audio"}
    assert request.body.fields == {
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
    fields = fields_of(made, case(duration=1, inference_steps=4, smooth_motion=False))
    assert (fields["inference_steps"], fields["motion_scale"], fields["smooth_motion"]) == ("4", "2", "false")
    assert fields["dynamic_scale"] == "1.1"
    own = contract(
        {"preset": "sonic", "http": {"argv": ["x"], "path": "/v2", "fields": {"min_resolution": 512, "seed": 7}}}
    )
    assert own.call.http is not None
    assert own.call.http.path == "/v2"
    fields = fields_of(own, case(duration=1))
    assert (fields["min_resolution"], fields["seed"], fields["inference_steps"]) == ("512", "7", "25")


def test_a_parameter_that_nobody_gives_is_named() -> None:
    with pytest.raises(
        UsageError, match=r"call.http.fields.duration: the case 'a' has nothing that fills '\{duration\}'"
    ):
        request_for(contract(SONIC), case())
    with pytest.raises(UsageError, match=r"call.http.argv\[1\]: nothing fills '\{prot\}'"):
        service_argv(contract({"preset": "sonic", "http": {"argv": ["x", "{prot}"]}}), 1)
    with pytest.raises(UsageError, match="the case 'b' has no input 'audio'"):
        request_for(contract(SONIC), Case(name="b", inputs={"image": "a.png"}))


def test_command_arguments() -> None:
    made = contract(
        {"command": {"argv": ["demo", "{image}", "--n={n}", "{output}", "{{image}}"]}, "parameters": {"n": 3}}
    )
    paths = {"image": "/in/{n}.png", "audio": "/in/a.wav", "output": "/out/o.mp4"}
    # what comes in is not expanded again
    assert command_argv(made, case(), paths) == ["demo", "/in/{n}.png", "--n=3", "/out/o.mp4", "{image}"]
    with pytest.raises(UsageError, match="calls no HTTP service"):
        request_for(made, case())
    with pytest.raises(UsageError, match="calls no command"):
        command_argv(contract(SONIC), case(), paths)


def test_preset_and_command_do_not_go_together() -> None:
    with pytest.raises(ValueError, match="the preset 'sonic' is an HTTP interface"):
        contract({"preset": "sonic", "command": {"argv": ["x"]}})


def service(**http: Any) -> Contract:
    return contract({"http": {"argv": ["serve"], "path": "/x", "response": "image/png", **http}})


def test_json_keeps_types_and_holds_files() -> None:
    template = {
        "input": {
            "n": "{n}",
            "share": "{share}",
            "on": "{on}",
            "text": "{word}",
            "said": "n is {n}, {{n}}, {{image|base64}}",
        },
        "files": ["{image|base64}", "prefix {image|data-url}", 7, None, True],
    }
    made = service(body={"json": template})
    read: list[tuple[str, str]] = []

    def content(name: str, encoding: str) -> str:
        read.append((name, encoding))
        return "{n}"  # what comes in is not looked at again

    given = case(n=3, share=0.5, on=True, word='a"b')
    assert json.loads(json_content(made, given, "", content)) == {
        "input": {"n": 3, "share": 0.5, "on": True, "text": 'a"b', "said": "n is 3, {n}, {image|base64}"},
        "files": ["{n}", "prefix {n}", 7, None, True],
    }
    assert read == [("image", "base64"), ("image", "data-url")]
    with pytest.raises(UsageError, match=r"call.http.body.json: the case 'a' has nothing that fills '\{n\}'"):
        request_for(made, case())
    with pytest.raises(UsageError, match=r"call.http.body.json.files\[0\]: the case 'b' has no input 'image'"):
        request_for(made, Case(name="b", inputs={}))


def test_path_and_headers_take_parameters_and_nothing_breaks_out_of_them() -> None:
    made = service(method="GET", path="/items/{id}?q={q}", headers={"X-Mode": "mode {id}"})
    request = request_for(made, case(id="a/b c", q="ä&x=1#?"))
    assert (request.method, request.body) == ("GET", None)
    assert request.target == "/items/a%2Fb%20c?q=%C3%A4%26x%3D1%23%3F"
    assert request.headers == {"X-Mode": "mode a/b c"}
    with pytest.raises(
        UsageError, match=r"call.http.headers.X-Mode: with the parameters of the case 'a' the header holds"
    ):
        request_for(made, case(id="a\r\nHost: b", q=""))


def test_calls_have_names() -> None:
    made = contract({"preset": "face-ood", "http": {"argv": ["serve"]}})
    pair = Case(name="a", inputs={"first": "a.png", "second": "b.png"})
    assert request_for(made, pair, "compare").body == Multipart({}, {"image1": "first", "image2": "second"})
    with pytest.raises(UsageError, match=r"call.http.calls.compare.files.image2: the case 'b' has no input 'second'"):
        request_for(made, Case(name="b", inputs={"first": "a.png"}), "compare")


def test_an_optional_call_is_left_out_of_cases_that_lack_its_input() -> None:
    http = contract({"preset": "face-ood", "http": {"argv": ["serve"]}}).call.http
    assert http is not None
    pair = {"first": "a.png", "second": "b.png"}
    found = [
        list(calls_of(http, Case(name="a", inputs=inputs)))
        for inputs in ({"image": "a.png"}, pair, {"image": "a.png", **pair}, {"first": "a.png"})
    ]
    assert found == [["feature"], ["compare"], ["feature", "compare"], []]
    asked = contract(
        {"http": {"argv": ["serve"], "path": "/", "files": {"a": "image"}, "response": "image/png"}}
    ).call.http
    assert asked is not None
    assert list(calls_of(asked, Case(name="a", inputs={}))) == [""], "a call that is not optional is always made"
