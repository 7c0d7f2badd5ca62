"""How a service is called: what a contract may say of it, and what it may not."""

from __future__ import annotations

from typing import Any

import pytest

from penstock.contract.http_call import Http, HttpCall, header_problem, parts_of, where_of


def service(**http: Any) -> Http:
    return Http.model_validate({"argv": ["serve"], "path": "/x", "response": "image/png", **http})


@pytest.mark.parametrize(
    ("http", "message"),
    [
        ({"headers": {"Host": "x"}}, "the header 'Host' is set by HTTP itself"),
        ({"headers": {"content-length": "5"}}, "the header 'content-length' is set by HTTP itself"),
        ({"headers": {"Transfer-Encoding": "chunked"}}, "is set by HTTP itself"),
        ({"headers": {"Authorization": "Bearer x"}}, "would hold a secret"),
        ({"headers": {"X-A": "b\r\nX-B: c"}}, "holds a line break"),
        ({"headers": {"X-A": "ä"}}, "printable ASCII"),
        ({"headers": {"X-A": "b", "x-a": "c"}}, "is there twice"),
        ({"body": {"json": {}, "file": "image"}}, "a body is one of 'json' and 'file'"),
        ({"body": {"json": {"a": ["{image|bas64}"]}}}, r"'\{image\|bas64\}' at a\[0\] is not known"),
        ({"body": {"json": {}}, "files": {"a": "image"}}, "a call has one body"),
        ({"fields": {"a": "{image|base64}"}}, "can stand in body.json only"),
        ({"method": "GET", "fields": {"a": 1}}, "a GET has no body"),
        ({"answer": {"json": "$.image"}, "response": "application/json"}, "the media type of what 'answer.json' holds"),
        ({"answer": {"require": {"$.a": 1}}}, "say where in it the output stands"),
        ({"calls": {"first": {"path": "/y", "response": "image/png"}}}, "move 'path' into each of them"),
    ],
)
def test_a_call_that_cannot_be_is_refused(http: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        service(**http)


@pytest.mark.parametrize(
    ("http", "message"),
    [
        ({"body": {}}, "a body is one of 'json' and 'file'"),
        ({"body": {"json": {}, "media_type": "image/png"}}, "'media_type' goes with 'file'"),
        ({"body": {"file": "image"}, "fields": {"a": 1}}, "a call has one body"),
        ({"method": "GET", "files": {"a": "image"}}, "a GET has no body"),
        ({"method": "GET", "body": {"file": "image"}}, "a GET has no body"),
        ({"headers": {"X-A": "{image|data-url}"}}, "can stand in body.json only"),
        ({"headers": {"Cookie": "a=b"}}, "would hold a secret"),
        ({"path": None}, "the field 'path' is missing"),
        ({"response": None}, "the field 'response' is missing"),
        ({"concurrency": 33}, "less than or equal to 32"),
        ({"ready_timeout_s": float("inf")}, "finite number"),
    ],
)
def test_nor_can_these(http: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        service(**http)


def test_what_a_call_may_be() -> None:
    assert service(method="GET", path="/x?size={size}", headers={"X-A": "{a}"}).body is None
    file = service(body={"file": "image", "media_type": "image/png"}).body
    assert file is not None
    assert (file.file, file.media_type) == ("image", "image/png")
    assert service(fields={"a": "{{image|base64}}"}).fields == {"a": "{{image|base64}}"}
    field = service(answer={"json": "$.image"}).answer
    assert field is not None
    assert (field.path, field.decode) == ("$.image", "base64")


def test_the_one_call_has_no_name_and_says_what_the_contract_says() -> None:
    made = service(headers={"X-A": "b"}, files={"image": "image"}, fields={"n": 1}, method="PUT")
    assert made.named_calls == {
        "": HttpCall.model_validate(
            {
                "path": "/x",
                "response": "image/png",
                "method": "PUT",
                "headers": {"X-A": "b"},
                "files": {"image": "image"},
                "fields": {"n": 1},
            }
        )
    }


def test_several_calls_keep_their_order_and_take_their_own_answers() -> None:
    calls: dict[str, dict[str, Any]] = {
        "second": {"path": "/b", "response": "application/json"},
        "first": {"path": "/a", "response": "image/png", "answer": {"json": "$.image"}},
    }
    made = Http.model_validate({"argv": ["serve"], "calls": calls})
    assert [(name, call.path, call.keeps_json) for name, call in made.named_calls.items()] == [
        ("second", "/b", True),
        ("first", "/a", False),
    ]
    calls["second"]["answer"] = {"json": "$.image"}
    with pytest.raises(ValueError, match=r"the media type of what 'answer\.json' holds"):
        Http.model_validate({"argv": ["serve"], "calls": calls})


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ("", None),
        ("a b\tc~", None),
        ("x" * 2000, None),
        ("x" * 2001, "must be at most 2000 printable ASCII characters"),
        ("a\x7f", "must be at most 2000 printable ASCII characters"),
        ("a\n", "holds a line break"),
        ("a\rb", "holds a line break"),
        (" a", "begins or ends with a space"),
        ("a\t", "begins or ends with a space"),
    ],
)
def test_the_value_of_a_header(value: str, problem: str | None) -> None:
    assert header_problem(value) == problem


def test_where_parameters_stand_in_a_call() -> None:
    call = HttpCall(path="/{a}", response="image/png", headers={"X-A": "{b}"}, fields={"c": True, "d": "{d}"})
    assert list(parts_of(call)) == [
        ("path", "/{a}"),
        ("headers.X-A", "{b}"),
        ("fields.c", "true"),
        ("fields.d", "{d}"),
    ]
    assert (where_of(""), where_of("compare")) == ("call.http", "call.http.calls.compare")
