"""What stands in an example is data, also where it looks like a reference."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from penstock.interface.document import DocumentError, read_document
from penstock.interface.example_data import drop_referring_examples

ELSEWHERE = {"$ref": "https://elsewhere.example/x.json"}
SCHEMA: dict[str, Any] = {"type": "object", "properties": {"$ref": {"type": "string"}}}


def document(schema: dict[str, Any], media: dict[str, Any] | None = None) -> bytes:
    content = {"application/json": {"schema": schema, **(media or {})}}
    value = {
        "openapi": "3.1.0",
        "info": {"title": "t", "version": "1"},
        "paths": {"/x": {"get": {"responses": {"200": {"description": "", "content": content}}}}},
    }
    return json.dumps(value).encode()


@pytest.mark.parametrize(
    ("schema", "media"),
    [
        ({**SCHEMA, "example": ELSEWHERE}, {}),
        ({**SCHEMA, "examples": [{"kept": 1}, [{"deep": ELSEWHERE}]]}, {}),
        (SCHEMA, {"example": [ELSEWHERE]}),
        (SCHEMA, {"examples": {"one": {"summary": "s", "value": {"$id": "x", "a": 1}}}}),
    ],
)
def test_a_field_of_an_example_is_no_reference(schema: dict[str, Any], media: dict[str, Any]) -> None:
    text = json.dumps(read_document(document(schema, media)).value)
    assert "elsewhere" not in text
    assert '"$id"' not in text
    assert ('"kept"' in text) is ("kept" in json.dumps(schema))


@pytest.mark.parametrize(
    ("schema", "media"),
    [
        ({"properties": {"example": ELSEWHERE}}, {}),
        ({"properties": {"examples": {"properties": {"value": ELSEWHERE}}}}, {}),
        (SCHEMA, {"examples": {"one": ELSEWHERE}}),
        ({"const": ELSEWHERE}, {}),
        ({"properties": {"properties": {"properties": {"a": ELSEWHERE}}}}, {}),
    ],
)
def test_what_is_no_example_is_refused_as_before(schema: dict[str, Any], media: dict[str, Any]) -> None:
    with pytest.raises(DocumentError, match="it refers elsewhere"):
        read_document(document(schema, media))


def test_a_property_that_is_called_example_stays() -> None:
    inside = {"$ref": "#/components/schemas/A"}
    value: dict[str, Any] = {"components": {"schemas": {"A": {"type": "string"}, "example": inside}}}
    value |= {"properties": {"example": inside, "examples": [1]}, "example": {"no": "reference"}}
    before = copy.deepcopy(value)
    drop_referring_examples(value)
    assert value == before
