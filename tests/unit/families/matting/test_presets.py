"""The interface of RMBG-1.4 and 2.0: base64 in JSON both ways, and photos that come back scaled."""

from __future__ import annotations

import json

from penstock.contract.models import Contract
from penstock.contract.request import JsonText, json_content, parameters, request_for
from penstock.families.matting.case import MattingCase

CASE = MattingCase(name="a", inputs={"image": "a.jpg"}, truth="t.png")
CONTRACT = Contract.model_validate(
    {
        "version": 1,
        "name": "rmbg",
        "family": "matting",
        "call": {"preset": "rmbg", "http": {"argv": ["serve"]}},
        "suite": "suite",
        "policy": {"rules": [{"metric": "mae", "max": 1}]},
    }
)


def test_rmbg_has_base64_both_ways_and_one_request_at_a_time() -> None:
    request = request_for(CONTRACT, CASE)
    assert (request.method, request.target, request.body) == ("POST", "/api/remove-bg", JsonText())
    sent = json.loads(json_content(CONTRACT, CASE, "", lambda name, encoding: f"{name} as {encoding}"))
    assert sent == {"image": "image as base64"}
    assert CONTRACT.call.http is not None
    answer = CONTRACT.call.http.answer
    assert answer is not None
    assert (answer.path, CONTRACT.call.http.response, CONTRACT.call.http.concurrency) == ("$.image", "image/png", 1)


def test_it_says_how_large_photos_come_back_and_a_case_may_say_otherwise() -> None:
    assert parameters(CONTRACT, CASE) == {"scale_over": 2000, "scale_to": 1024}
    own = CASE.model_copy(update={"parameters": {"scale_to": 512}})
    assert parameters(CONTRACT, own) == {"scale_over": 2000, "scale_to": 512}
