"""The schemas say about a file what the models say about it."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from pydantic import BaseModel, ValidationError

from penstock.contract.models import Contract, Suite
from penstock.contract.policy import Policy
from penstock.contract.schema import contract_schema, policy_schema, suite_schema
from penstock.contract.template import write_template
from penstock.foundation.yaml_text import read_yaml

SCHEMAS: list[tuple[type[BaseModel], dict[str, Any]]] = [
    (Contract, contract_schema()),
    (Suite, suite_schema("talking-head")),
    (Policy, policy_schema()),
]
HTTP = {"argv": ["serve"], "path": "/x", "response": "video/mp4"}
GOOD: dict[str, Any] = {
    "version": 1,
    "name": "x",
    "family": "talking-head",
    "weights": [{"path": "w", "sha256": "0" * 64, "source": "lfs"}],
    "call": {"preset": "sonic", "http": {"argv": ["serve"]}},
    "suite": "suite",
    "policy": {"rules": [{"metric": "lse_d", "margin": "5%"}]},
}


def agrees(model: type[BaseModel], content: Any) -> bool:
    """Whether the schema accepts ``content``; it must say the same as the model."""
    schema = next(schema for known, schema in SCHEMAS if known is model)
    accepted = Draft202012Validator(schema).is_valid(content)
    try:
        model.model_validate(content)
    except ValidationError:
        assert not accepted
    else:
        assert accepted
    return accepted


def changed(path: str, value: Any) -> dict[str, Any]:
    content = copy.deepcopy(GOOD)
    *folders, last = path.split(".")
    inner = content
    for folder in folders:
        inner = inner[folder]
    inner[last] = value
    return content


@pytest.mark.parametrize(("model", "schema"), SCHEMAS)
def test_they_are_valid_schemas_with_a_text_for_most_fields(model: type[BaseModel], schema: dict[str, Any]) -> None:
    Draft202012Validator.check_schema(schema)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    for definition in schema["$defs"].values():
        assert definition["additionalProperties"] is False
        assert definition["description"]


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (
            "call",
            {"preset": "sonic", "http": {"argv": ["serve"], "fields": {"a": 1, "b": True}}, "parameters": {"n": 2}},
        ),
        ("call", {"http": HTTP}),
        ("call", {"command": {"argv": ["x", "{output}"]}}),
        ("call", {"http": HTTP, "network": ["example.org:443"], "env": {"A": "b"}}),
        ("call", {"preset": "face-ood", "http": {"argv": ["serve"]}}),
        ("call", {"preset": "cog", "http": {"argv": ["serve"], "response": "image/png"}}),
        ("call", {"http": {**HTTP, "body": {"json": {"a": ["{image|base64}", 1]}}, "answer": {"json": "$.a[0].b-c"}}}),
        ("call", {"http": {**HTTP, "body": {"file": "image"}, "headers": {"X-A": "b"}, "concurrency": 4}}),
        ("call", {"http": {"argv": ["serve"], "calls": {"one": {"path": "/x", "response": "application/json"}}}}),
        ("policy", {"level": 0.1, "rules": [{"metric": "x", "direction": "lower", "margin": 0.2}]}),
        ("policy", {"rules": [{"metric": "x", "max": 1, "margin": {"amount": 0.1, "relative": True}}]}),
    ],
)
def test_both_accept(path: str, value: Any) -> None:
    assert agrees(Contract, changed(path, value))


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("call", {"http": {"argv": ["serve"]}}),
        ("call", {"preset": "sonic"}),
        ("call", {"preset": "sonic", "http": {}}),
        ("call", {"preset": "other", "http": HTTP}),
        ("call", {"preset": "sonic", "command": {"argv": ["x"]}}),
        ("call", {"http": HTTP, "command": {"argv": ["x"]}}),
        ("call", {}),
        ("call", {"http": {**HTTP, "unknown": 1}}),
        ("call", {"preset": "cog", "http": {"argv": ["serve"]}}),
        ("call", {"http": {**HTTP, "answer": {"json": "$..a"}}}),
        ("call", {"http": {**HTTP, "answer": {"json": "a.b"}}}),
        ("call", {"http": {**HTTP, "answer": {"path": "$.a"}}}),
        ("call", {"http": {**HTTP, "body": {"template": {}}}}),
        ("call", {"http": {**HTTP, "headers": {"X A": "b"}}}),
        ("call", {"http": {**HTTP, "concurrency": 0}}),
        ("call", {"http": {**HTTP, "path": "/a#b"}}),
        ("call", {"http": {"argv": ["serve"], "calls": {"One": {"path": "/x", "response": "a/b"}}}}),
        ("version", 2),
        ("name", "A B"),
        ("extra", 1),
        ("weights", [{"path": "w", "sha256": "0" * 63, "source": "lfs"}]),
        ("policy", {"rules": []}),
        ("policy", {"rules": [{"metric": "x"}]}),
        ("policy", {"rules": [{"metric": "x", "margin": "lots"}]}),
        ("policy", {"rules": [{"metric": "x", "margin": -1}]}),
        ("policy", {"rules": [{"metric": "x", "max": "9"}]}),
        ("policy", {"level": 0.7, "rules": [{"metric": "x", "max": 9}]}),
    ],
)
def test_both_refuse(path: str, value: Any) -> None:
    assert not agrees(Contract, changed(path, value))


def test_the_template_is_valid(tmp_path: Path) -> None:
    write_template(tmp_path / "My Model!", family="talking-head")
    contract = read_yaml(tmp_path / "My Model!/penstock.yaml", name="x").value
    assert contract["name"] == "my-model"
    assert agrees(Contract, contract)
    assert agrees(Policy, contract["policy"])
    assert agrees(Suite, read_yaml(tmp_path / "My Model!/suite/suite.yaml", name="x").value)


def suite_with(expect: Any) -> dict[str, Any]:
    case = {"name": "a", "inputs": {"image": "a.png"}, "expect": expect}
    return {"version": 1, "family": "talking-head", "cases": [case]}


@pytest.mark.parametrize(
    "expect",
    [{"status": 422}, {"status": "4xx"}, {"status": [400, "5xx"]}, {"json": {"$.code": "no_face"}, "call": "one"}],
)
def test_both_accept_what_is_expected(expect: Any) -> None:
    assert agrees(Suite, suite_with(expect))


@pytest.mark.parametrize(
    "expect",
    [
        {"status": "422"},
        {"status": 42},
        {"status": []},
        {"status": True},
        {"status": "9xx"},
        {"json": {"code": 1}},
        {"values": {"$.a": 1}},
    ],
)
def test_both_refuse_what_cannot_be_expected(expect: Any) -> None:
    assert not agrees(Suite, suite_with(expect))
