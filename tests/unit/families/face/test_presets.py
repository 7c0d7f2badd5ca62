"""The interface of RTS behind HTTP: a single image goes to one call, a pair to another."""

from __future__ import annotations

from penstock.contract.models import Contract
from penstock.contract.request import Multipart, calls_of, parameters, request_for
from penstock.families.face.case import FaceCase

IMAGE = FaceCase(name="a", inputs={"image": "a.png"})
PAIR = FaceCase(name="b", inputs={"first": "a.png", "second": "b.png"}, same=True)
CONTRACT = Contract.model_validate(
    {
        "version": 1,
        "name": "rts",
        "family": "face",
        "call": {"preset": "face-ood", "http": {"argv": ["serve"]}},
        "suite": "suite",
        "policy": {"rules": [{"metric": "eer", "max": 1}]},
    }
)


def test_each_case_takes_the_call_that_it_has_inputs_for() -> None:
    http = CONTRACT.call.http
    assert http is not None
    assert (http.ready, {call.response for call in http.calls.values()}) == ("/health", {"application/json"})
    assert (list(calls_of(http, IMAGE)), list(calls_of(http, PAIR))) == (["feature"], ["compare"])
    asked, compared = request_for(CONTRACT, IMAGE, "feature"), request_for(CONTRACT, PAIR, "compare")
    assert (asked.method, asked.target, asked.body) == ("POST", "/feature", Multipart({}, {"image": "image"}))
    assert (compared.method, compared.target) == ("POST", "/compare")
    assert compared.body == Multipart({}, {"image1": "first", "image2": "second"})


def test_what_a_vector_is() -> None:
    assert parameters(CONTRACT, IMAGE) == {"feature_length": 512, "unit_norm": False}
