"""What a schema of an OpenAPI document allows, in one form whichever way it is written.

``nullable`` of 3.0 and ``type: [string, "null"]`` of 3.1 are the same, and so are ``const`` and an ``enum`` of one.
``allOf`` is one schema; ``anyOf`` and ``oneOf`` of one schema and null are that schema, or null.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from penstock.interface.document import ApiDocument, DocumentError

MAX_SHAPES: Final = 50_000
"""Of one document: what grows with every level of references is given up."""
MAX_LEVELS: Final = 40
"""Of ``allOf``, ``anyOf`` and ``oneOf`` in each other."""
TYPES: Final = frozenset({"null", "boolean", "object", "array", "number", "integer", "string"})
_NULL: Final = frozenset({"null"})
LOWER: Final = {"minimum": "exclusiveMinimum", "minLength": "", "minItems": "", "minProperties": ""}
UPPER: Final = {"maximum": "exclusiveMaximum", "maxLength": "", "maxItems": "", "maxProperties": ""}

Bound = tuple[float, bool]
"""A limit, and whether it is itself outside."""


@dataclass(frozen=True)
class SchemaShape:
    """What a schema allows. ``None`` and what is left out: everything."""

    types: frozenset[str] | None = None
    enum: frozenset[str] | None = None
    """Values as JSON."""
    format: str | None = None
    properties: Mapping[str, Any] = field(default_factory=dict)
    """Name → schema, its references not resolved."""
    required: frozenset[str] = frozenset()
    others: Any = None
    """The schema of properties without a name here."""
    items: Any = None
    bounds: Mapping[str, Bound] = field(default_factory=dict)
    """``minimum`` and the like."""
    branches: tuple[SchemaShape, ...] = ()
    """Of ``anyOf`` and ``oneOf``: a value has one of these shapes, each with all that stands beside them."""

    @property
    def alternatives(self) -> tuple[SchemaShape, ...]:
        """The branches, or the shape itself where there are none."""
        return self.branches or (self,)


class Shapes:
    """The shapes of the schemas of one document."""

    def __init__(self, document: ApiDocument) -> None:
        self._document = document
        self._known: dict[int, SchemaShape] = {}
        self._count = 0

    def of(self, schema: Any) -> SchemaShape:
        """The shape of a schema.

        Raises:
            DocumentError: a reference leads in a circle, or it is too intricate.
        """
        node = self._document.resolved(schema)
        if (known := self._known.get(id(node))) is None:  # the document keeps its nodes, so that an id stays one's own
            known = self._known[id(node)] = self._of(node, 0)
        return known

    def _of(self, schema: Any, level: int) -> SchemaShape:
        node = self._document.resolved(schema)
        self._count += 1
        if level > MAX_LEVELS or self._count > MAX_SHAPES:
            raise DocumentError("its schemas are too intricate to be compared")
        if not isinstance(node, dict):
            return SchemaShape(types=frozenset()) if node is False else SchemaShape()
        shape = _own(node)
        for part in _listed(node.get("allOf")):
            shape = _both(shape, self._of(part, level + 1))
        for keyword in ("anyOf", "oneOf"):
            if parts := _listed(node.get(keyword)):
                shape = _one_of(shape, [self._of(part, level + 1) for part in parts])
            if len(shape.branches) > MAX_SHAPES // 100:
                raise DocumentError("its schemas are too intricate to be compared")
        return shape


def _listed(value: Any) -> Sequence[Any]:
    return value if isinstance(value, list) else ()


def _own(node: Mapping[str, Any]) -> SchemaShape:
    """What a schema says itself, without the schemas that it is put together from."""
    said = node.get("type")
    names = [said] if isinstance(said, str) else said if isinstance(said, list) else []
    types = frozenset(name for name in names if isinstance(name, str)) & TYPES or None
    if types is not None and node.get("nullable") is True:
        types |= {"null"}
    enum = node.get("enum")
    values = [node["const"]] if "const" in node else enum if isinstance(enum, list) else None
    if types is None and values is not None:
        types = frozenset(map(_type_of, values))
    required = node.get("required")
    properties = node.get("properties")
    others = node.get("additionalProperties")
    return SchemaShape(
        types=types,
        enum=frozenset(map(_text, values)) if values is not None else None,
        format=node["format"] if isinstance(node.get("format"), str) else None,
        properties={str(name): inner for name, inner in properties.items()} if isinstance(properties, dict) else {},
        required=frozenset(name for name in _listed(required) if isinstance(name, str)),
        others=others if isinstance(others, dict) else None,
        items=node.get("items"),
        bounds=dict(_bounds(node)),
    )


def _type_of(value: Any) -> str:
    if value is None or isinstance(value, bool):
        return "null" if value is None else "boolean"
    return {str: "string", int: "integer", float: "number", list: "array"}.get(type(value), "object")


def _text(value: Any) -> str:
    return json.dumps(value, sort_keys=True)


def _bounds(node: Mapping[str, Any]) -> Iterator[tuple[str, Bound]]:
    for names, tighter in ((LOWER, max), (UPPER, min)):
        for name, exclusive in names.items():
            found: list[Bound] = []
            if (value := _number(node.get(name))) is not None:
                found.append((value, node.get(exclusive) is True))
            if exclusive and (value := _number(node.get(exclusive))) is not None:
                found.append((value, True))
            if found:
                limit = tighter(value for value, _ in found)
                yield name, (limit, any(outside for value, outside in found if value == limit))


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _both(one: SchemaShape, other: SchemaShape) -> SchemaShape:
    """What both allow. Of a property that both name, the other's schema stands for both."""
    if one.branches or other.branches:
        pairs = [_both(ours, theirs) for ours in one.alternatives for theirs in other.alternatives]
        if len(pairs) > MAX_SHAPES // 100:
            raise DocumentError("its schemas are too intricate to be compared")
        return SchemaShape(branches=tuple(pairs))
    bounds = dict(one.bounds)
    for name, bound in other.bounds.items():
        bounds[name] = (max if name in LOWER else min)(bounds.get(name, bound), bound)
    return SchemaShape(
        types=_common(one.types, other.types),
        enum=one.enum if other.enum is None else other.enum if one.enum is None else one.enum & other.enum,
        format=other.format or one.format,
        properties={**one.properties, **other.properties},
        required=one.required | other.required,
        others=other.others if other.others is not None else one.others,
        items=other.items if other.items is not None else one.items,
        bounds=bounds,
    )


def _common(one: frozenset[str] | None, other: frozenset[str] | None) -> frozenset[str] | None:
    if one is None or other is None:
        return one if other is None else other
    common = one & other
    return common | {"integer"} if "integer" in (one | other) and "number" in (one ^ other) else common


def _one_of(shape: SchemaShape, parts: Sequence[SchemaShape]) -> SchemaShape:
    """A shape with one of several parts; null among them makes the others nullable."""
    flat = [inner for part in parts for inner in part.alternatives]
    others = [part for part in flat if part.types != _NULL]
    nullable = len(others) < len(flat)
    made = [_both(shape, _or_null(part) if nullable else part) for part in others or flat]
    return made[0] if len(made) == 1 else SchemaShape(branches=tuple(made))


def _or_null(shape: SchemaShape) -> SchemaShape:
    if shape.types is None:
        return shape
    enum = shape.enum | {"null"} if shape.enum is not None else None
    return SchemaShape(
        types=shape.types | {"null"},
        enum=enum,
        format=shape.format,
        properties=shape.properties,
        required=shape.required,
        others=shape.others,
        items=shape.items,
        bounds=shape.bounds,
    )
