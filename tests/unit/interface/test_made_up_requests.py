"""Requests are made up from the document and the suite's files; what they cannot say is the document's fault."""

from __future__ import annotations

import base64
import time
from pathlib import Path
from typing import Any

import pytest
from tests.unit.interface.small_service import Reply, SmallService, api, json_of, serving

from penstock.interface.answer_checks import AnswerChecks
from penstock.interface.document import ApiDocument
from penstock.interface.made_up_requests import GoneError, MadeUpRequests
from penstock.interface.trial_order import TrialOrder


def made_up(service: SmallService, folder: Path, **more: Any) -> MadeUpRequests:
    given: dict[str, Any] = {"examples": 6, "seconds": 20.0, "seed": 1, "timeout_s": 5.0, "inputs": [], **more}
    order = TrialOrder(
        document=service.document, port=service.port, ready="/healthz", answers=[], folder=folder, readable=[], **given
    )
    return MadeUpRequests(order, AnswerChecks(ApiDocument(service.document)))


def sent(paths: dict[str, Any], folder: Path, **more: Any) -> list[tuple[str, str, bytes]]:
    with serving(SmallService(api(paths=paths), lambda *_: Reply(200, {}))) as service:
        made = made_up(service, folder, **more)
        for operation in made.checks.document.operations:
            made.put(operation, time.monotonic() + 20)
    return service.requests


def post(content: dict[str, Any]) -> dict[str, Any]:
    return {"/a": {"post": {"requestBody": {"required": True, "content": content}, "responses": {"200": {}}}}}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("content", "whole"),
    [
        ({"image/png": {"schema": {"type": "string", "format": "binary"}}}, b"the picture"),
        (
            {"application/json": {"schema": {"type": "string", "format": "byte"}}},
            b'"' + base64.b64encode(b"the picture") + b'"',
        ),
    ],
)
def test_the_suites_files_are_sent_where_the_document_wants_one(
    content: dict[str, Any], whole: bytes, tmp_path: Path
) -> None:
    (tmp_path / "one.png").write_bytes(b"the picture")
    bodies = [body for _, _, body in sent(post(content), tmp_path, inputs=[tmp_path / "one.png"], examples=9)]
    assert whole in bodies
    assert len(set(bodies)) > 2


def test_the_path_of_the_server_stands_before_all_others(tmp_path: Path) -> None:
    document = api(servers=[{"url": "https://example.org/v1"}], paths={"/a": {"get": {"responses": {"200": {}}}}})
    with serving(SmallService(document, lambda *_: Reply(200, {}))) as service:
        made = made_up(service, tmp_path)
        made.put(made.checks.document.operations[0], time.monotonic() + 20)
    assert {path.partition("?")[0] for _, path, _ in service.requests} == {"/v1/a"}


@pytest.mark.slow
def test_an_operation_whose_time_is_over_says_so(tmp_path: Path) -> None:
    def slow(*_: Any) -> Reply:
        time.sleep(0.2)
        return Reply(200, {})

    paths = {"/a": {"get": {"parameters": [{"name": "q", "in": "query", "schema": {}}], "responses": {"200": {}}}}}
    with serving(SmallService(api(paths=paths), slow)) as service:
        made = made_up(service, tmp_path, examples=500)
        began = time.monotonic()
        tried = made.put(made.checks.document.operations[0], began + 1.0)
    assert time.monotonic() - began < 10
    assert tried.left_out == "its time was over"
    assert tried.requests < 50
    assert made.findings == []


def test_one_request_that_hangs_is_ended_with_its_operation(tmp_path: Path) -> None:
    def hang(*_: Any) -> Reply:
        time.sleep(3)
        return Reply(200, {})

    paths = {"/a": {"get": {"responses": {"200": {}}}}}
    with serving(SmallService(api(paths=paths), hang)) as service:
        made = made_up(service, tmp_path, timeout_s=60.0)
        began = time.monotonic()
        assert made.put(made.checks.document.operations[0], began + 0.2).left_out == "its time was over"
        assert time.monotonic() - began < 2.5


def test_a_service_that_is_gone_is_told_with_what_was_put(tmp_path: Path) -> None:
    with serving(SmallService(behaviour=lambda *_: None)) as service:
        made = made_up(service, tmp_path)
        with pytest.raises(GoneError) as gone:
            made.put(made.checks.document.operations[0], time.monotonic() + 20)
    assert gone.value.tried is not None
    assert gone.value.tried.requests == 1
    assert [finding.kind for finding in made.findings] == ["no-answer"]


def test_what_holds_no_fault_is_answered_as_documented(tmp_path: Path) -> None:
    paths = {"/a": {"get": {"responses": {"200": json_of({"type": "object"})}}}}
    with serving(SmallService(api(paths=paths), lambda *_: Reply(200, {}))) as service:
        made = made_up(service, tmp_path)
        tried = made.put(made.checks.document.operations[0], time.monotonic() + 20)
    assert (tried.statuses.keys(), tried.left_out, made.findings) == ({"200"}, "", [])
