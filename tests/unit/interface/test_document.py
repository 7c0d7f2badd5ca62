"""OpenAPI documents as strangers write them: what is read, and what is refused, with the reason."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from penstock.interface.document import ApiDocument, DocumentError, read_document

OK = {"responses": {"200": {"description": "ok"}}}


def document(paths: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    return {
        "openapi": "3.1.0",
        "info": {"title": "x", "version": "1"},
        "paths": paths if paths is not None else {"/feature": {"post": OK}},
        **more,
    }


def read(value: dict[str, Any]) -> ApiDocument:
    return read_document(json.dumps(value).encode())


def with_schema(schema: Any, **schemas: Any) -> dict[str, Any]:
    content = {"application/json": {"schema": schema}}
    paths = {"/x": {"get": {"responses": {"200": {"description": "", "content": content}}}}}
    return document(paths, components={"schemas": schemas})


def test_json_and_yaml_say_the_same() -> None:
    text = b"openapi: 3.0.3\ninfo: {title: x}\npaths:\n  /a/{id}:\n    get:\n      responses:\n        200: {}\n"
    for media_type in (None, "application/yaml", "text/x-yaml; charset=utf-8", "application/vnd.oai.openapi+yaml"):
        (found,) = read_document(text, media_type=media_type).operations
        assert (found.label, list(found.responses)) == ("GET /a/{id}", ["200"])
    (found,) = read_document(json.dumps(document()).encode(), media_type="application/vnd.oai.openapi+json").operations
    assert found.label == "POST /feature"


@pytest.mark.parametrize(
    ("content", "media_type", "said"),
    [
        (b"<!doctype html>", "text/html; charset=utf-8", "it comes as 'text/html', which is neither JSON"),
        (b"{}", "", "it comes as no media type"),
        (b"{}", None, "it has no 'openapi', where 3.0 or 3.1 is read"),
        (b"[]", None, "it is not an object"),
        (b"", None, "the file is empty"),
        (b'{"openapi": "3.1.0", "openapi": "3.1.0"}', None, 'the name "openapi" is twice'),
        (b'{"openapi": NaN}', None, "NaN is not a JSON number"),
        (b'{"info": "\xff"}', None, "it is not UTF-8"),
        (b"info: \xff", None, "the file is not UTF-8 text"),
        (b"[" * 100 + b"]" * 100, None, "nest"),
        (b'{"a":' * 100 + b"1" + b"}" * 100, None, "it is nested over 64 levels"),
        (b"a: &a [x]\n" + b"".join(b"b%d: *a\n" % n for n in range(20)), None, "alias"),
        (b"a: !!python/object/apply:os.system [id]", None, "tag"),
        (b" " * (4 << 20) + b"{}", None, "it is larger than 4 MiB"),
        (b'{"swagger": "2.0"}', None, "it is Swagger 2.0; write OpenAPI 3.0 or 3.1"),
        (b'{"openapi": "4.0.0"}', None, "it has 'openapi: 4.0.0', where 3.0 or 3.1 is read"),
        (b'{"openapi": 3.1}', None, "it has 'openapi: 3.1'"),
    ],
)
def test_what_is_no_document_is_refused(content: bytes, media_type: str | None, said: str) -> None:
    with pytest.raises(DocumentError) as refused:
        read_document(content, media_type=media_type)
    assert said in str(refused.value)


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (document({}), "it has no operation"),
        ({"openapi": "3.1.0"}, "paths is missing"),
        (document({"feature": {"get": OK}}), "the path 'feature' does not begin with '/'"),
        (document({"/a": {"get": {"responses": {}}}}), "GET /a: 'responses' is empty"),
        (document({"/a": {"get": []}}), "GET /a is not an object"),
        (document({"/a": {"get": {**OK, "parameters": {}}}}), "GET /a: 'parameters' is not a list"),
        (document({f"/{n}": {"get": OK} for n in range(301)}), "it has more than 300 operations"),
        (document(jsonSchemaDialect="https://example.org/own"), "which is not known"),
        (
            with_schema({"$ref": "https://example.org/face.json"}),
            "refers elsewhere, to 'https://example.org/face.json'",
        ),
        (with_schema({"$ref": "faces.yaml#/Face"}), "it refers elsewhere, to 'faces.yaml#/Face': nothing is fetched"),
        (with_schema({"$ref": "file:///etc/passwd"}), "refers elsewhere"),
        (with_schema({"$ref": "#/components/schemas/None"}), "'#/components/schemas/None' leads to nothing"),
        (with_schema({"$ref": "#face"}), "the reference '#face' leads to nothing"),
        (with_schema({"$ref": "#/components/schemas/A"}, A={"$ref": "#/components/schemas/A"}), "nothing but itself"),
        (
            with_schema({}, A={"$ref": "#/components/schemas/B"}, B={"$ref": "#/components/schemas/A"}),
            "leads to nothing but itself",
        ),
        (with_schema({"$id": "https://example.org/", "type": "object"}), "it has '$id: https://example.org/'"),
        (with_schema({"$dynamicRef": "#node"}), "only '$ref: #/…' is followed"),
        (with_schema({"$schema": "https://example.org/meta"}), "which is not known"),
        (
            with_schema({"oneOf": [], "discriminator": {"propertyName": "k", "mapping": {"a": "http://x/a.json"}}}),
            "a discriminator refers elsewhere",
        ),
    ],
)
def test_a_document_that_cannot_be_used_says_why(value: dict[str, Any], said: str) -> None:
    with pytest.raises(DocumentError) as refused:
        read(value)
    assert said in str(refused.value)


def test_a_tree_refers_to_itself() -> None:
    node = {
        "type": "object",
        "properties": {"children": {"type": "array", "items": {"$ref": "#/components/schemas/N"}}},
    }
    found = read(with_schema({"$ref": "#/components/schemas/N"}, N=node))
    assert found.resolved({"$ref": "#/components/schemas/N"}) == node
    assert read(with_schema({"properties": {"$ref": {"type": "string"}}})).operations, "a property of that name"


def test_a_million_paths_are_refused_at_once() -> None:
    content = b'{"openapi":"3.1.0","paths":{' + b",".join(b'"/%d":{}' % n for n in range(390_000)) + b"}}"
    began = time.perf_counter()
    with pytest.raises(DocumentError, match=r"larger than 4 MiB|more than 200,000 values"):
        read_document(content)
    assert time.perf_counter() - began < 10


def test_references_lead_through_lists_and_odd_names() -> None:
    found = read(document(components={"x": [{"a/b~c d": 7}]}))
    assert found.at("#/components/x/0/a~1b~0c%20d") == 7
    with pytest.raises(DocumentError, match="leads to nothing"):
        found.at("#/components/x/1")


def test_parameters_of_a_path_are_those_of_its_operations() -> None:
    item = {
        "parameters": [{"$ref": "#/components/parameters/Id"}, {"name": "q", "in": "query", "required": False}],
        "get": {**OK, "parameters": [{"name": "q", "in": "query", "required": True}]},
    }
    components = {"parameters": {"Id": {"name": "id", "in": "path", "required": True}}}
    paths = {"/a/{id}": {"$ref": "#/components/pathItems/A"}}
    (found,) = read(document(paths, components={**components, "pathItems": {"A": item}})).operations
    assert [(one["name"], one["required"]) for one in found.parameters] == [("id", True), ("q", True)]


def test_a_request_is_found_in_its_document() -> None:
    paths = {"/a/{id}": {"get": OK}, "/a/me": {"get": OK}, "/a/{id}.png": {"get": OK}, "/b": {"post": OK}}
    found = read(document(paths, servers=[{"url": "https://{host}/v1/", "variables": {"host": {"default": "x.org"}}}]))
    assert found.base_path == "/v1"

    def path(method: str, sent: str) -> str | None:
        operation = found.find(method, sent)
        return operation.path if operation is not None else None

    assert path("GET", "/v1/a/me") == "/a/me"
    assert path("GET", "/a/7") == "/a/{id}"
    assert path("GET", "/a/") is None
    assert path("GET", "/b") is None
    assert path("POST", "/v1/b") == "/b"


@pytest.mark.parametrize("servers", [[], None, [{"url": 7}], [{"url": "http://[/x"}], [{"url": "not a path"}], "x"])
def test_servers_that_say_nothing_say_nothing(servers: Any) -> None:
    assert read(document(servers=servers)).base_path == ""


def test_an_answer_is_found_by_its_status_then_its_class() -> None:
    responses = {"200": {"description": "a"}, "4XX": {"description": "b"}}
    (found,) = read(document({"/a": {"get": {"responses": responses}}})).operations
    assert found.response(200) == responses["200"]
    assert found.response(422) == responses["4XX"]
    assert found.response(500) is None
    (found,) = read(document({"/a": {"get": {"responses": {"default": {}}}}})).operations
    assert found.response(500) == {}
