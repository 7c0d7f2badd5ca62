"""What a schema allows, in one form whichever way it is written."""

from __future__ import annotations

from typing import Any

import pytest

from penstock.interface.document import ApiDocument, DocumentError
from penstock.interface.schema_shape import SchemaShape, Shapes


def shape(schema: Any, **schemas: Any) -> SchemaShape:
    value = {"openapi": "3.1.0", "paths": {"/a": {"get": {"responses": {"200": {}}}}}}
    return Shapes(ApiDocument({**value, "components": {"schemas": {"It": schema, **schemas}}})).of(
        {"$ref": "#/components/schemas/It"}
    )


TEXT = {"type": "string"}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"type": "string", "nullable": True}, {"type": ["string", "null"]}),
        ({"anyOf": [TEXT, {"type": "null"}]}, {"type": ["null", "string"]}),
        ({"oneOf": [TEXT]}, TEXT),
        ({"const": "a"}, {"enum": ["a"]}),
        ({"allOf": [TEXT, {"maxLength": 9}]}, {"type": "string", "maxLength": 9}),
        ({"allOf": [{"type": ["string", "number"]}, TEXT]}, TEXT),
        ({"allOf": [{"minimum": 1}, {"minimum": 3}]}, {"minimum": 3}),
        ({"minimum": 1, "exclusiveMinimum": True}, {"exclusiveMinimum": 1}),
        ({"$ref": "#/components/schemas/Text"}, TEXT),
        (True, {}),
        ({"type": "nonsense", "properties": 7, "required": 7, "enum": 7, "allOf": 7, "minimum": "x"}, {}),
    ],
)
def test_ways_to_write_the_same(one: Any, other: Any) -> None:
    assert shape(one, Text=TEXT) == shape(other)


def test_branches_have_what_stands_beside_them() -> None:
    found = shape({"required": ["a"], "oneOf": [{"properties": {"a": TEXT}}, {"properties": {"b": TEXT}}]})
    assert [sorted(branch.properties) for branch in found.alternatives] == [["a"], ["b"]]
    assert all(branch.required == {"a"} for branch in found.branches)


def test_nothing_is_allowed_by_false() -> None:
    assert shape(False).types == frozenset()


def test_what_is_too_intricate_is_given_up() -> None:
    with pytest.raises(DocumentError, match="too intricate"):
        shape({"allOf": [{"$ref": "#/components/schemas/It"}, TEXT]})
    many = {"oneOf": [{"const": n} for n in range(600)]}
    with pytest.raises(DocumentError, match="too intricate"):
        shape(many)
