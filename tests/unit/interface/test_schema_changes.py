"""Two schemas of one place: what is sent must still be accepted, what is read must still be what it was."""

from __future__ import annotations

from typing import Any, Literal

import pytest

from penstock.bundle.interface_record import BreakingChange
from penstock.interface.document import ApiDocument
from penstock.interface.schema_changes import SchemaChanges, SchemaPair
from penstock.interface.schema_shape import Shapes

PLAIN = {"openapi": "3.1.0", "paths": {"/a": {"get": {"responses": {"200": {}}}}}}
SUBJECTS = {"request": "request-body", "response": "response-body"}


def changes(one: Any, other: Any, way: Literal["request", "response"]) -> list[BreakingChange]:
    compared = SchemaChanges(Shapes(ApiDocument(PLAIN)), Shapes(ApiDocument(PLAIN)))
    return list(compared.between(SchemaPair(one, other), way, subject=SUBJECTS[way], where="GET /a"))


@pytest.mark.parametrize(
    ("wide", "narrow"),
    [
        ({}, {"type": "string"}),
        ({"type": "number"}, {"type": "integer"}),
        ({"type": ["string", "null"]}, {"type": "string"}),
        ({"type": "string"}, {"enum": ["a"]}),
        ({"enum": ["a", "b"]}, {"enum": ["b"]}),
        ({"maximum": 9}, {"maximum": 8}),
        ({"maximum": 9}, {"exclusiveMaximum": 9}),
        ({"minItems": 1}, {"minItems": 2}),
        ({}, {"maxLength": 5}),
        ({"oneOf": [{"type": "string"}, {"type": "array"}]}, {"type": "array"}),
        ({"items": {"type": ["string", "null"]}}, {"items": {"type": "string"}}),
        ({"additionalProperties": {"type": ["string", "null"]}}, {"additionalProperties": {"type": "string"}}),
    ],
)
def test_what_is_sent_may_become_wider_and_what_is_read_narrower(wide: Any, narrow: Any) -> None:
    assert changes(narrow, wide, "request") == []
    assert changes(wide, narrow, "response") == []
    assert len(changes(wide, narrow, "request")) == 1
    assert len(changes(narrow, wide, "response")) == 1


def test_each_says_where_and_what() -> None:
    before = {"type": "object", "properties": {"top left": {"type": "array", "items": {"type": "number"}}}}
    after = {"type": "object", "properties": {"top left": {"type": "array", "items": {"type": "string"}}}}
    assert changes(before, after, "response") == [
        BreakingChange(
            kind="response-property-type-changed",
            where='GET /a $."top left"[]',
            what="is string, where it was number",
        )
    ]
    (change,) = changes({"maximum": 1}, {}, "response")
    assert change.what == "'maximum' is nothing, where it was 1"
    (change,) = changes({"format": "int32"}, {"format": "int64"}, "response")
    assert change.what == "has the format int64, where it had int32"
