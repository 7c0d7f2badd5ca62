"""The preset of the recognition service. Against a server as documented: tests/invocation/test_presets.py."""

from __future__ import annotations

from tests.unit.families.recognition.recognition_cases import case

from penstock.contract.models import Contract
from penstock.contract.request import Multipart, request_for


def test_wanwu_gets_the_file_as_a_form_and_is_waited_for() -> None:
    made = Contract.model_validate(
        {
            "version": 1,
            "name": "seer",
            "family": "recognition",
            "call": {"preset": "wanwu", "http": {"argv": ["serve"]}},
            "suite": "s",
            "policy": {"rules": [{"metric": "latency", "max": 9}]},
        }
    )
    assert made.call.http is not None
    assert made.call.http.ready == "/healthz"
    request = request_for(made, case(labels=["cup"]))
    assert (request.method, request.target) == ("POST", "/recognize")
    assert request.body == Multipart({}, {"image": "image"})
    (call,) = made.call.http.named_calls.values()
    assert call.response == "application/json"
