"""What is wrong with a service is found, by its kind, with the smallest request that shows it."""

from __future__ import annotations

import shlex
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
from tests.unit.interface.small_service import Reply, SmallService, api, json_of, serving, well_behaved

from penstock.bundle.interface_record import InterfaceFinding
from penstock.interface.attempt import attempt
from penstock.interface.sent_request import SHOWN_ORIGIN
from penstock.interface.trial_order import TRIAL, GivenAnswer, Trial, TrialOrder


def tried(service: SmallService, tmp_path: Path, **more: Any) -> Trial:
    """As the process does it, in this one."""
    picture = tmp_path / "picture.png"
    picture.write_bytes(b"a real picture")
    given: dict[str, Any] = {"examples": 9, "seconds": 30.0, "seed": 1, "timeout_s": 5.0, "answers": [], **more}
    with serving(service):
        order = TrialOrder(
            document=service.document,
            port=service.port,
            ready="/healthz",
            inputs=[picture],
            folder=tmp_path,
            readable=[],
            **given,
        )
        trial = attempt(order)
    assert Trial.model_validate_json((tmp_path / TRIAL).read_text(encoding="utf-8")) == trial
    assert trial.complete
    return trial


def kinds(trial: Trial) -> set[tuple[str, str, int | None]]:
    return {(found.operation, found.kind, found.status) for found in trial.findings}


@pytest.mark.slow
def test_each_kind_of_fault_is_found_with_the_smallest_request_that_shows_it(tmp_path: Path) -> None:
    document = api()
    document["paths"]["/text"] = {"get": {"responses": {"200": json_of({"type": "object"})}}}
    document["paths"]["/moved"] = {"get": {"responses": {"200": json_of({"type": "object"}), "4XX": {}}}}
    document["paths"]["/gone"] = {"get": {"responses": {"200": json_of({"type": "object"})}}}

    def behaviour(method: str, path: str, body: bytes) -> Reply | None:
        if path.startswith("/items/-"):
            return Reply(500, {"error": "negative"})
        if path.startswith("/text"):
            return Reply(200, b"<p>", "text/html")
        if path.startswith("/gone"):
            return None
        if b"a real picture" in body:
            return Reply(200, {"feature": [0.5] * 4, "quality_score": 1.5})
        if path.startswith("/moved"):
            return Reply(302, {})
        return well_behaved(method, path, body)

    service = SmallService(document, behaviour)
    trial = tried(service, tmp_path, examples=20)
    assert kinds(trial) == {
        ("POST /feature", "answer", 200),
        ("GET /moved", "status", 302),
        ("GET /items/{id}", "server-error", 500),
        ("GET /text", "media-type", 200),
        ("GET /gone", "no-answer", None),
    }
    found = {finding.kind: finding for finding in trial.findings}
    assert found["answer"].what == (
        "answers 200 with what its schema does not allow: $.quality_score: 1.5 is greater than the maximum of 1"
    )
    assert found["server-error"].curl == f"curl --globoff --path-as-is -X GET {SHOWN_ORIGIN}/items/-1"
    assert found["status"].what == "answers 302, which the document does not have (200, 4XX)"
    repeats(found["answer"], service, tmp_path)


def repeats(finding: InterfaceFinding, service: SmallService, tmp_path: Path) -> None:
    """The command sends the very request again."""
    again = SmallService(service.document, service.behaviour)
    (tmp_path / "interface").mkdir()
    (tmp_path / "requests").rename(tmp_path / "interface" / "requests")
    with serving(again):
        command = finding.curl.replace(SHOWN_ORIGIN, f"http://127.0.0.1:{again.port}")
        subprocess.run(shlex.split(command), cwd=tmp_path, check=True, timeout=20, capture_output=True)
    assert again.requests[0] in service.requests
    assert b"a real picture" in again.requests[0][2]


def test_a_service_that_dies_is_asked_nothing_more(tmp_path: Path) -> None:
    gone: list[bool] = []

    def behaviour(method: str, path: str, body: bytes) -> Reply | None:
        if path.startswith("/feature"):
            gone.append(True)
        return None if gone else well_behaved(method, path, body)

    trial = tried(SmallService(behaviour=behaviour), tmp_path)
    assert kinds(trial) == {("POST /feature", "no-answer", None)}
    assert "does not answer any more" in trial.ended
    assert len(trial.operations) == 1


def test_answers_of_the_suite_are_compared(tmp_path: Path) -> None:
    good, bad = tmp_path / "good.json", tmp_path / "bad.json"
    good.write_text('{"feature": [1, 2, 3, 4], "quality_score": 0.5}')
    bad.write_text('{"feature": [1, 2, 3, "4"], "quality_score": 0.5}')

    def answer(case: str, status: int = 200, **more: Any) -> GivenAnswer:
        given = {"method": "POST", "path": "/feature", "media_type": "application/json", **more}
        return GivenAnswer(case=case, status=status, **given)

    answers = [
        answer("a", file=good),
        answer("b", file=bad),
        answer("c", file=bad),
        answer("d", 422, media_type=""),
        answer("e", 500, media_type=""),
        answer("f", path="/other"),
        answer("g", media_type="video/mp4"),
    ]
    trial = tried(SmallService(), tmp_path, answers=answers, examples=1)
    assert (trial.answers, trial.wrong_answers) == (7, 5)
    assert [(found.case, found.kind, found.count) for found in trial.findings] == [
        ("b", "answer", 2),
        ("e", "status", 1),
        ("f", "document", 1),
        ("g", "media-type", 1),
    ]
    assert '$.feature[]: "4" is not of type "number"' in trial.findings[0].what


@pytest.mark.slow
@pytest.mark.parametrize("pattern", ["^(a+)+$"])
def test_a_pattern_that_takes_for_ever_ends_in_time(pattern: str, tmp_path: Path) -> None:
    document = api()
    text = {"type": "string", "pattern": pattern}
    document["components"]["schemas"]["Error"]["properties"]["error"] = text
    document["paths"]["/items/{id}"]["get"]["parameters"].append({"name": "q", "in": "query", "schema": text})
    slow = SmallService(document, lambda *_: Reply(404, {"error": "a" * 40 + "!" + "x" * 40}))
    began = time.monotonic()
    trial = tried(slow, tmp_path, seconds=5.0)
    assert time.monotonic() - began < 60
    assert trial.findings


@pytest.mark.slow
def test_a_tree_is_tried(tmp_path: Path) -> None:
    document = api()
    tree = {"type": "object", "properties": {"more": {"type": "array", "items": {"$ref": "#/components/schemas/Face"}}}}
    document["components"]["schemas"]["Face"] = tree
    document["paths"]["/tree"] = {
        "post": {
            "requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Face"}}}},
            "responses": {"200": json_of({"$ref": "#/components/schemas/Face"})},
        }
    }

    def behaviour(method: str, path: str, body: bytes) -> Reply | None:
        if path.startswith("/tree"):
            return Reply(200, {"more": [{"more": [{"more": 7}]}]})
        return well_behaved(method, path, body)

    trial = tried(SmallService(document, behaviour), tmp_path)
    assert kinds(trial) == {("POST /tree", "answer", 200)}
    assert "$.more[].more[].more: 7 is not of type" in trial.findings[0].what


def test_a_request_that_nothing_fits_is_a_fault_of_the_document(tmp_path: Path) -> None:
    document = api()
    endless = {"type": "object", "required": ["own"], "properties": {"own": {"$ref": "#/components/schemas/Endless"}}}
    document["components"]["schemas"]["Endless"] = endless
    body = {"required": True, "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Endless"}}}}
    document["paths"] = {"/endless": {"post": {"requestBody": body, "responses": {"200": {"description": ""}}}}}
    trial = tried(SmallService(document, lambda *_: Reply(200, {})), tmp_path, seconds=10.0)
    (finding,) = trial.findings
    assert finding.kind == "document"
    assert "no request can be made up for it" in finding.what


@pytest.mark.slow
def test_what_is_wrong_with_the_document_is_a_finding(tmp_path: Path) -> None:
    document = api()
    document["components"]["schemas"]["Face"]["properties"]["quality_score"] = {"type": "nonsense"}
    trial = tried(SmallService(document), tmp_path)
    assert ("POST /feature", "document", 200) in kinds(trial)
