"""Which differences of two documents break programs: each by its name, and none that breaks nobody."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from penstock.interface.document import ApiDocument, DocumentError
from penstock.interface.document_changes import breaking_changes

RELEASED: dict[str, Any] = {
    "openapi": "3.1.0",
    "info": {"title": "faces", "version": "1"},
    "paths": {
        "/feature": {
            "post": {
                "parameters": [
                    {"name": "size", "in": "query", "schema": {"type": "string", "enum": ["s", "m"]}},
                    {"name": "X-Mode", "in": "header", "schema": {"type": "integer", "minimum": 1, "maximum": 9}},
                ],
                "requestBody": {
                    "content": {
                        "application/json": {
                            "schema": {
                                "type": "object",
                                "properties": {"image": {"type": "string"}, "scale": {"type": "number"}},
                                "required": ["image"],
                            }
                        },
                        "image/png": {},
                    }
                },
                "responses": {
                    "200": {
                        "description": "",
                        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Face"}}},
                    },
                    "422": {"description": ""},
                },
            },
            "get": {"responses": {"200": {"description": ""}}},
        },
        "/people/{id}": {
            "get": {
                "parameters": [{"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}],
                "responses": {"200": {"description": ""}},
            }
        },
    },
    "components": {
        "schemas": {
            "Face": {
                "type": "object",
                "required": ["feature", "score", "kind"],
                "properties": {
                    "feature": {"type": "array", "items": {"type": "number"}, "minItems": 512, "maxItems": 512},
                    "score": {"type": "number", "minimum": 0, "maximum": 1},
                    "kind": {"enum": ["face", "none"]},
                    "note": {"type": "string"},
                    "faces": {"type": "array", "items": {"$ref": "#/components/schemas/Face"}},
                },
            }
        }
    },
}


def changed(*edits: Callable[[Any], Any]) -> list[tuple[str, str]]:
    candidate = copy.deepcopy(RELEASED)
    for edit in edits:
        edit(candidate)
    found = breaking_changes(ApiDocument(copy.deepcopy(RELEASED)), ApiDocument(candidate))
    return [(change.kind, change.where) for change in found]


def post(value: Any) -> Any:
    return value["paths"]["/feature"]["post"]


def body(value: Any) -> Any:
    return post(value)["requestBody"]["content"]["application/json"]["schema"]


def face(value: Any) -> Any:
    return value["components"]["schemas"]["Face"]


def put(where: Callable[[Any], Any], name: Any, value: Any) -> Callable[[Any], None]:
    return lambda document: where(document).__setitem__(name, value)


def drop(where: Callable[[Any], Any], name: Any) -> Callable[[Any], Any]:
    return lambda document: where(document).pop(name)


def parameter(place: int, **more: Any) -> Callable[[Any], None]:
    return lambda document: post(document)["parameters"][place].update(more)


def of(name: str) -> Callable[[Any], Any]:
    return lambda document: face(document)["properties"][name]


def test_the_same_document_breaks_nothing() -> None:
    assert changed() == []


@pytest.mark.parametrize(
    ("edit", "kind", "where"),
    [
        (drop(lambda d: d["paths"], "/people/{id}"), "api-path-removed-without-deprecation", "GET /people/{id}"),
        (drop(lambda d: d["paths"]["/feature"], "get"), "api-removed-without-deprecation", "GET /feature"),
        (
            lambda d: post(d)["parameters"].append({"name": "key", "in": "query", "required": True}),
            "new-required-request-parameter",
            "POST /feature query key",
        ),
        (parameter(0, required=True), "request-parameter-became-required", "POST /feature query size"),
        (
            parameter(0, schema={"type": "string", "enum": ["s"]}),
            "request-parameter-enum-value-removed",
            "POST /feature query size $",
        ),
        (parameter(0, schema={"type": "integer"}), "request-parameter-type-changed", "POST /feature query size $"),
        (
            parameter(1, name="x-mode", schema={"type": "integer", "minimum": 2, "maximum": 9}),
            "request-parameter-min-increased",
            "POST /feature header x-mode $",
        ),
        (
            parameter(1, schema={"type": "integer", "minimum": 1, "exclusiveMaximum": 9}),
            "request-parameter-max-decreased",
            "POST /feature header x-mode $",
        ),
        (put(lambda d: post(d)["requestBody"], "required", True), "request-body-became-required", "POST /feature"),
        (
            put(lambda d: d["paths"]["/feature"]["get"], "requestBody", {"required": True}),
            "request-body-added-required",
            "GET /feature",
        ),
        (
            drop(lambda d: post(d)["requestBody"]["content"], "image/png"),
            "request-body-media-type-removed",
            "POST /feature image/png",
        ),
        (
            put(body, "required", ["image", "scale"]),
            "request-property-became-required",
            "POST /feature body $.scale",
        ),
        (
            put(body, "required", ["image", "mode"]),
            "new-required-request-property",
            "POST /feature body $.mode",
        ),
        (
            put(lambda d: body(d)["properties"], "scale", {"type": "integer"}),
            "request-property-type-changed",
            "POST /feature body $.scale",
        ),
        (
            put(lambda d: body(d)["properties"], "scale", {"type": "number", "enum": [1, 2]}),
            "request-property-became-enum",
            "POST /feature body $.scale",
        ),
        (
            put(lambda d: body(d)["properties"], "image", {"type": "string", "maxLength": 9}),
            "request-property-max-length-decreased",
            "POST /feature body $.image",
        ),
        (drop(lambda d: post(d)["responses"], "200"), "response-success-status-removed", "POST /feature 200"),
        (drop(lambda d: post(d)["responses"], "422"), "response-non-success-status-removed", "POST /feature 422"),
        (
            put(lambda d: post(d)["responses"]["200"], "content", {"text/plain": {}}),
            "response-media-type-removed",
            "POST /feature 200 application/json",
        ),
        (
            drop(lambda d: face(d)["properties"], "score"),
            "response-required-property-removed",
            "POST /feature 200 $.score",
        ),
        (
            drop(lambda d: face(d)["properties"], "note"),
            "response-optional-property-removed",
            "POST /feature 200 $.note",
        ),
        (put(face, "required", ["feature", "kind"]), "response-property-became-optional", "POST /feature 200 $.score"),
        (put(of("score"), "type", "string"), "response-property-type-changed", "POST /feature 200 $.score"),
        (
            put(of("score"), "type", ["number", "null"]),
            "response-property-became-nullable",
            "POST /feature 200 $.score",
        ),
        (put(of("score"), "maximum", 2), "response-property-max-increased", "POST /feature 200 $.score"),
        (drop(of("score"), "minimum"), "response-property-min-decreased", "POST /feature 200 $.score"),
        (
            put(of("kind"), "enum", ["face", "none", "mask"]),
            "response-property-enum-value-added",
            "POST /feature 200 $.kind",
        ),
        (put(of("feature"), "minItems", 128), "response-property-min-items-decreased", "POST /feature 200 $.feature"),
        (
            put(lambda d: of("feature")(d)["items"], "type", "string"),
            "response-property-type-changed",
            "POST /feature 200 $.feature[]",
        ),
        (
            put(of("note"), "anyOf", [{"type": "string"}, {"type": "null"}]),
            None,
            "",
        ),
    ],
)
def test_a_change_that_breaks_programs_has_its_name(edit: Callable[[Any], Any], kind: str | None, where: str) -> None:
    assert changed(edit) == ([(kind, where)] if kind is not None else [])


@pytest.mark.parametrize(
    "edit",
    [
        put(lambda d: d["paths"], "/new", {"get": {"responses": {"200": {}}}}),
        lambda d: d["paths"].update({"/people/{name}": d["paths"].pop("/people/{id}")}),
        lambda d: post(d)["parameters"].append({"name": "more", "in": "query"}),
        parameter(0, schema={"type": "string", "enum": ["s", "m", "l"]}),
        parameter(0, schema={"type": ["string", "null"]}),
        parameter(1, schema={"type": "number"}),
        put(lambda d: body(d)["properties"], "more", {"type": "string"}),
        drop(lambda d: body(d)["properties"], "scale"),
        put(body, "required", []),
        put(lambda d: post(d)["responses"], "500", {"description": ""}),
        lambda d: post(d)["responses"].update({"4XX": post(d)["responses"].pop("422")}),
        put(lambda d: face(d)["properties"], "more", {"type": "string"}),
        put(of("kind"), "enum", ["face"]),
        put(of("score"), "type", "integer"),
        put(of("score"), "exclusiveMinimum", 0),
        put(of("note"), "const", "x"),
    ],
)
def test_what_is_new_or_narrower_in_answers_breaks_nobody(edit: Callable[[Any], Any]) -> None:
    assert changed(edit) == []


def schemas(one: Any, other: Any, *, sent: bool = False, version: str = "3.1.0") -> list[str]:
    def document(schema: Any) -> ApiDocument:
        content = {"content": {"application/json": {"schema": schema}}}
        operation = {"responses": {"200": {} if sent else content}, **({"requestBody": content} if sent else {})}
        return ApiDocument({"openapi": version, "paths": {"/a": {"post": operation}}})

    return [change.kind for change in breaking_changes(document(one), document(other))]


TEXT, NUMBER, NULL = {"type": "string"}, {"type": "number"}, {"type": "null"}


def test_ways_to_write_the_same_are_the_same() -> None:
    assert schemas({"type": "string", "nullable": True}, {"anyOf": [TEXT, NULL]}, version="3.0.3") == []
    assert schemas({"anyOf": [TEXT, NULL]}, {"type": ["null", "string"]}) == []
    assert schemas({"const": 1}, {"enum": [1]}) == []
    together = {
        "allOf": [{"type": "object", "properties": {"a": TEXT}}, {"properties": {"b": TEXT}, "required": ["b"]}]
    }
    assert schemas(together, {"type": "object", "properties": {"a": TEXT, "b": TEXT}, "required": ["b"]}) == []
    assert schemas({"exclusiveMinimum": 1}, {"minimum": 1, "exclusiveMinimum": True}) == []


def test_alternatives() -> None:
    assert schemas({"oneOf": [TEXT, NUMBER]}, {"oneOf": [NUMBER, TEXT]}) == []
    assert schemas({"oneOf": [TEXT, NUMBER]}, TEXT) == []
    assert schemas(TEXT, {"oneOf": [TEXT, NUMBER]}) == ["response-body-one-of-added"]
    assert schemas({"oneOf": [TEXT, NUMBER]}, TEXT, sent=True) == ["request-body-one-of-removed"]
    assert schemas(TEXT, {"oneOf": [TEXT, NUMBER]}, sent=True) == []
    cat, dog = ({"type": "object", "required": [kind], "properties": {kind: TEXT}} for kind in ("cat", "dog"))
    assert schemas({"oneOf": [cat, dog]}, {"oneOf": [cat, {**dog, "properties": {"dog": NUMBER}}]}) == [
        "response-body-one-of-added"
    ]


def test_values_by_names_that_are_data() -> None:
    assert schemas({"additionalProperties": NUMBER}, {"additionalProperties": TEXT}) == [
        "response-property-type-changed"
    ]


def test_a_tree_is_compared_and_ends() -> None:
    assert [kind for kind, _ in changed(put(of("faces"), "items", {"type": "string"}))] == [
        "response-property-type-changed"
    ]


def test_what_grows_with_every_reference_is_given_up() -> None:
    levels = {f"L{n}": {"oneOf": [{"allOf": [{"$ref": f"#/components/schemas/L{n + 1}"}] * 2}] * 2} for n in range(30)}
    levels["L30"] = {"oneOf": [TEXT, NUMBER]}
    content = {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/L0"}}}}
    value = {"openapi": "3.1.0", "paths": {"/a": {"get": {"responses": {"200": content}}}}}
    document = ApiDocument({**value, "components": {"schemas": levels}})
    with pytest.raises(DocumentError, match="too intricate"):
        breaking_changes(document, document)


def test_a_schema_put_together_from_itself_is_given_up() -> None:
    own = {"allOf": [{"$ref": "#/components/schemas/Own"}, TEXT]}
    content = {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Own"}}}}
    value = {"openapi": "3.1.0", "paths": {"/a": {"get": {"responses": {"200": content}}}}}
    document = ApiDocument({**value, "components": {"schemas": {"Own": own}}})
    with pytest.raises(DocumentError, match="too intricate"):
        breaking_changes(document, document)
