"""A service with an OpenAPI document: released while it keeps to it; each way of breaking it is stopped by its rule."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import yaml
from tests.invocation.json_answers import JSON_ANSWERS
from tests.pipeline.pipeline_runs import run_release
from tests.unit.sources.source_servers import commit, git, new_repository

from penstock.bundle.directory import Bundle
from penstock.bundle.interface_record import InterfaceRecord, interface_record, released_document

MODEL = (
    JSON_ANSWERS
    + """
import os
how, document = json.load(open("how.json")), json.load(open("openapi.json"))
class Handler(JsonHandler):
    def do_GET(self):
        pages = {"/healthz": {}, "/openapi.json": document}
        self.answer(200 if self.path in pages else 404, pages.get(self.path, {"error": "no such page"}))
    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.path.partition("?")[0] != "/recognize":
            return self.answer(404, {"error": "no such page"})
        if b"\\x89PNG" not in body:
            if how.get("falls over"): return self.answer(500, {"error": "Traceback"})
            return self.answer(422, {"error": "no picture"})
        self.answer(200, how["answer"])
ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
"""
)
ANSWER = {"objects": [{"label": "cup", "confidence": 0.9}], "description": "a cup", "text": ""}
CONTRACT: dict[str, Any] = {
    "version": 1,
    "name": "seer",
    "family": "recognition",
    "call": {"preset": "wanwu", "http": {"argv": ["python", "serve.py"]}, "warmup": 0, "timeout_s": 20.0},
    "interface": {"document": "/openapi.json", "examples": 6, "seconds": 20.0},
    "suite": "suite",
    "policy": {"rules": [{"metric": "label_f1", "min": 0.8}]},
}


def json_of(schema: Any) -> dict[str, Any]:
    return {"description": "", "content": {"application/json": {"schema": schema}}}


def document() -> dict[str, Any]:
    text = {"type": "string"}
    thing = {"type": "object", "required": ["label"], "properties": {"label": text, "confidence": {"type": "number"}}}
    answer = {
        "type": "object",
        "required": ["objects", "description"],
        "properties": {"objects": {"type": "array", "items": thing}, "description": text, "text": text},
    }
    image = {"type": "object", "required": ["image"], "properties": {"image": {"type": "string", "format": "binary"}}}
    error = {"type": "object", "required": ["error"], "properties": {"error": text}}
    post = {
        "requestBody": {"required": True, "content": {"multipart/form-data": {"schema": image}}},
        "responses": {"200": json_of(answer), "422": json_of(error)},
    }
    return {"openapi": "3.0.3", "info": {"title": "seer", "version": "1"}, "paths": {"/recognize": {"post": post}}}


def files(how: dict[str, Any], described: dict[str, Any]) -> dict[str, str | bytes]:
    picture = np.full((24, 32, 3), 90, np.uint8)
    case = {"name": "cup", "inputs": {"image": "cup.png"}, "labels": ["cup"]}
    return {
        "penstock.yaml": yaml.safe_dump(CONTRACT),
        "serve.py": MODEL,
        "how.json": json.dumps({"answer": ANSWER, **how}),
        "openapi.json": json.dumps(described),
        "suite/suite.yaml": yaml.safe_dump({"version": 1, "family": "recognition", "cases": [case]}),
        "suite/cup.png": cv2.imencode(".png", picture)[1].tobytes(),
    }


def failed(bundle: Bundle) -> dict[str, str]:
    return {rule.metric: rule.reason for rule in bundle.verdict().rules if rule.verdict == "fail"}


def record_of(bundle: Bundle) -> InterfaceRecord:
    found = interface_record(bundle)
    assert found is not None
    return found


def test_a_release_and_what_breaks_the_programs_that_use_it(tmp_path: Path) -> None:
    repository = new_repository(tmp_path / "seer")
    commit(repository, files({}, document()), "good")
    git(repository, "tag", "v1.0.0")
    code, bundle = run_release(repository, tmp_path, "v1.0.0")
    assert (code, failed(bundle)) == (0, {}), record_of(bundle)
    record = record_of(bundle)
    assert (record.answers, record.wrong_answers, record.findings, record.released) == (1, 0, [], None)
    (tried,) = record.operations
    assert tried.statuses.keys() == {"200", "422"}
    assert {"interface/interface.json", "interface/document.json", "logs/interface-model.log"} <= set(
        bundle.verify().files
    )
    later = copy.deepcopy(document())
    answer = later["paths"]["/recognize"]["post"]["responses"]["200"]["content"]["application/json"]["schema"]
    del answer["properties"]["text"]
    answer["properties"]["objects"]["items"]["properties"]["confidence"]["type"] = "string"
    things = [{"label": "cup", "confidence": "0.9"}]
    commit(repository, files({"answer": {"objects": things, "description": "a cup"}}, later), "breaks its readers")
    git(repository, "tag", "v1.1.0")
    code, bundle = run_release(repository, tmp_path, "v1.1.0")
    assert code == 1
    assert [change.kind for change in record_of(bundle).changes or []] == [
        "response-optional-property-removed",
        "response-property-type-changed",
    ]
    assert "breaking changes of the interface is 2, above the maximum of 0: " in failed(bundle)["interface_breaks"]
    released = released_document(bundle)
    assert released is not None
    assert released.document == document()


@pytest.mark.parametrize(
    ("how", "metric", "said"),
    [
        ({"falls over": True}, "interface_faults", "POST /recognize answers 500, a server error"),
        (
            {"answer": {**ANSWER, "text": None}},
            "interface_answers",
            "answers against the OpenAPI document is 1, above the maximum of 0: POST /recognize answers 200 with what",
        ),
    ],
)
def test_each_fault_is_stopped_by_its_own_rule(how: dict[str, Any], metric: str, said: str, tmp_path: Path) -> None:
    repository = new_repository(tmp_path / "seer")
    commit(repository, files(how, document()), "bad")
    git(repository, "tag", "v1.0.0")
    code, bundle = run_release(repository, tmp_path, "v1.0.0")
    assert code == 1
    assert said in failed(bundle)[metric]
    assert "curl --globoff" in record_of(bundle).made_up[0].curl
