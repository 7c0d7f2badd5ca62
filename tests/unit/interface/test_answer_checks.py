"""Whether a document allows an answer: its status, its media type, its schema."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.unit.interface.small_service import FACE, api, json_of

from penstock.interface.answer_checks import AnswerChecks, ServiceAnswer
from penstock.interface.document import ApiDocument

GOOD = {"feature": [1, 2, 3, 4], "quality_score": 0.5}


def faults(value: Any, status: int = 200, media_type: str | None = "application/json", **changes: Any) -> list[str]:
    checks = AnswerChecks(ApiDocument(api(**changes)))
    operation = checks.document.find("POST", "/feature")
    assert operation is not None
    content = value if isinstance(value, bytes) else json.dumps(value).encode()
    return [
        f"{found.kind} {found.what}" for found in checks.faults(operation, ServiceAnswer(status, media_type, content))
    ]


@pytest.mark.slow
def test_what_is_as_it_says_is_allowed() -> None:
    assert faults(GOOD) == []
    assert faults(GOOD, media_type="application/json; charset=utf-8") == []
    assert faults({"error": "no"}, 422) == []
    assert faults(b"", 422, None) == []


@pytest.mark.slow
@pytest.mark.parametrize(
    ("value", "status", "media_type", "said"),
    [
        (GOOD, 201, "application/json", "status answers 201, which the document does not have (200, 4XX)"),
        (GOOD, 200, "text/html", "media-type answers 200 with 'text/html', where the document has application/json"),
        (GOOD, 200, None, "media-type answers 200 with no media type"),
        (b"{", 200, "application/json", "answer answers 200 with what its schema does not allow: $"),
        ({"feature": [1] * 4}, 200, "application/json", '$: "quality_score" is a required property'),
        ({**GOOD, "feature": [1]}, 200, "application/json", "$.feature: [1] has less than 4 items"),
        ({**GOOD, "feature": ["1"] * 4}, 200, "application/json", '$.feature[]: "1" is not of type "number"'),
        (
            {"error": 7},
            404,
            "application/json",
            "answer answers 404 with what its schema does not allow: $.error: 7 is",
        ),
    ],
)
def test_what_is_not_allowed_says_where(value: Any, status: int, media_type: str | None, said: str) -> None:
    found = faults(value, status, media_type)
    assert found
    assert said in found[0]


def test_a_schema_of_3_0_may_be_null() -> None:
    face = {**FACE, "properties": {**FACE["properties"], "note": {"type": "string", "nullable": True}}}
    changes = {"openapi": "3.0.3", "components": {"schemas": {"Face": face, "Error": {}}}}
    assert faults({**GOOD, "note": None}, **changes) == []
    assert "note" in faults({**GOOD, "note": 7}, **changes)[0]


def test_what_could_lead_elsewhere_is_left_out_and_the_document_stays_as_it_is() -> None:
    document = ApiDocument(api(servers=[{"url": "https://example.org/v1"}]))
    post = document.value["paths"]["/feature"]["post"]
    post["callbacks"] = {"x": {"http://elsewhere": {}}}
    post["responses"]["200"]["links"] = {"next": {"operationId": "x"}}
    document.value["components"]["schemas"]["Face"]["properties"]["links"] = {"type": "string"}
    checks = AnswerChecks(document)
    used = json.dumps(checks.schema.raw_schema)
    assert "elsewhere" not in used
    assert "example.org" not in used
    assert '"links": {"type": "string"}' in used, "a property may have any name"
    assert "elsewhere" in json.dumps(document.value)


def test_a_schema_that_is_none_is_the_documents_fault() -> None:
    broken = {**FACE, "properties": {"feature": {"type": "list"}}}
    (found,) = faults(GOOD, components={"schemas": {"Face": broken, "Error": {}}})
    assert found.startswith("document its schema for 200 cannot be used: ")


def test_no_answer_to_head_has_a_body() -> None:
    document = ApiDocument(api(paths={"/a": {"head": {"responses": {"200": json_of({"type": "object"})}}}}))
    checks = AnswerChecks(document)
    assert checks.faults(document.operations[0], ServiceAnswer(200, "text/html", b"x")) == []
