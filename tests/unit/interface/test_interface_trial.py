"""A run's service is tested against its document: the evidence in the bundle, and the values that the gate judges."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.pipeline.pipeline_runs import contract as contract_of
from tests.unit.interface.small_service import Reply, SmallService, api, serving

from penstock.bundle.directory import Bundle
from penstock.bundle.interface_record import (
    BreakingChange,
    InterfaceFinding,
    InterfaceRecord,
    ReleasedDocument,
    interface_record,
    write_released_document,
)
from penstock.bundle.models import CallRecord, Invocation, Measurement
from penstock.contract.models import Contract, Suite
from penstock.interface import interface_trial
from penstock.interface.interface_trial import add_interface_values, interface_values, try_interface
from penstock.interface.trial_order import Trial

CALLS = {
    "feature": {"path": "/feature?size=4", "files": {"image": "image"}, "response": "application/json"},
    "picture": {"path": "/picture", "files": {"image": "image"}, "response": "image/png"},
    "inner": {
        "path": "/inner",
        "files": {"image": "image"},
        "response": "image/png",
        "answer": {"json": "$.image"},
    },
}
HTTP = {"argv": ["x"], "ready": "/healthz", "calls": CALLS}


def contract(document: str = "/openapi.json") -> Contract:
    return Contract.model_validate(
        contract_of(call={"http": HTTP, "timeout_s": 7.0}, interface={"document": document}, checks=[])
    )


SUITE = Suite.model_validate(
    {"version": 1, "family": "talking-head", "cases": [{"name": "one", "inputs": {"image": "one.png"}}]}
)


@pytest.fixture
def given(tmp_path: Path) -> Path:
    (tmp_path / "source" / "suite").mkdir(parents=True)
    (tmp_path / "source" / "suite" / "one.png").write_bytes(b"a real picture")
    bundle = Bundle(tmp_path / "bundle")
    (bundle.outputs / "one").mkdir(parents=True)
    call = {"status": "ok", "http_status": 200, "started": ""}
    calls = [
        CallRecord(name="feature", output="outputs/one/feature.json", **call),
        CallRecord(name="picture", output="outputs/one/picture.png", **call),
        CallRecord(name="inner", output="outputs/one/inner.png", **call),
        CallRecord(name="feature", status="failed", http_status=422, started=""),
        CallRecord(name="feature", status="failed", started=""),
    ]
    bundle.write_invocations([Invocation(case="one", status="ok", calls=calls), Invocation(case="gone", status="ok")])
    return tmp_path


def tried(folder: Path, service: SmallService, monkeypatch: pytest.MonkeyPatch, **more: Any) -> dict[str, Any]:
    """What the process is told."""
    told: dict[str, Any] = {}

    def instead(document: Any, interface: Any, **given: Any) -> Trial:
        told.update(given, document=document, interface=interface)
        return Trial(tool="schemathesis 4", answers=4, complete=True)

    monkeypatch.setattr(interface_trial, "try_service", instead)
    with serving(service):
        named = contract(**more)
        assert named.interface is not None
        told["record"] = try_interface(
            named, named.interface, SUITE, folder / "source", Bundle(folder / "bundle"), service.port
        )
    assert interface_record(Bundle(folder / "bundle")) == told["record"]
    return told


def test_the_service_is_asked_for_its_document_and_the_runs_answers_are_compared(
    given: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = tried(given, SmallService(), monkeypatch)
    assert told["document"].value == api()
    assert json.loads((given / "bundle" / "interface" / "document.json").read_text()) == api()
    assert (told["ready"], told["timeout_s"]) == ("/healthz", 7.0)
    assert told["inputs"] == [(given / "source" / "suite" / "one.png").resolve()]
    assert [(one.method, one.path, one.status, one.media_type) for one in told["answers"]] == [
        ("POST", "/feature", 200, "application/json"),
        ("POST", "/picture", 200, "image/png"),
        ("POST", "/inner", 200, ""),
        ("POST", "/feature", 422, ""),
    ]
    assert [one.file.name if one.file else None for one in told["answers"]] == ["feature.json", None, None, None]
    record = told["record"]
    assert (record.fault, record.released, record.changes) == (None, None, None)


def test_a_document_of_the_repository_is_read_from_there(given: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (given / "source" / "openapi.json").write_text(json.dumps(api()))
    service = SmallService(document=Reply(404, {}))
    assert tried(given, service, monkeypatch, document="openapi.json")["document"].value == api()


@pytest.mark.parametrize(
    ("document", "said"),
    [
        (Reply(404, {}), "the service answers 404 to GET /openapi.json"),
        (Reply(302, {}), "the service answers 302"),
        (Reply(200, b"<html>", "text/html"), "it comes as 'text/html'"),
        (Reply(200, b"{" + b" " * (5 << 20), "application/json"), "larger than 4 MiB"),
        (Reply(200, {"swagger": "2.0"}), "it is Swagger 2.0"),
        (Reply(200, api(x={"$ref": "http://169.254.169.254/"})), "it refers elsewhere"),
    ],
)
def test_a_document_that_cannot_be_used_is_a_result_that_fails(
    given: Path, monkeypatch: pytest.MonkeyPatch, document: Reply, said: str
) -> None:
    (given / "bundle" / "interface").mkdir()
    (given / "bundle" / "interface" / "document.json").write_text("of an earlier attempt")
    told = tried(given, SmallService(document=document), monkeypatch)
    assert said in told["record"].fault
    assert "answers" not in told, "nothing was tried"
    assert not (given / "bundle" / "interface" / "document.json").exists()
    values = interface_values(told["record"])
    assert [(value.metric, value.value, value.applies) for value in values] == [
        ("interface_answers", None, True),
        ("interface_faults", None, True),
        ("interface_breaks", None, False),
    ]
    assert said in (values[0].error or "")


def test_a_service_that_does_not_send_its_document(given: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SmallService, "reply", lambda *_: None)
    assert "the service does not send it" in tried(given, SmallService(), monkeypatch)["record"].fault


def test_it_is_compared_with_the_released_document(given: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bundle = Bundle(given / "bundle")
    (bundle.path / "interface").mkdir()
    released = api()
    released["paths"]["/compare"] = {"post": {"responses": {"200": {"description": ""}}}}
    write_released_document(bundle, ReleasedDocument(run_id="run-1", document=released))
    record = tried(given, SmallService(), monkeypatch)["record"]
    assert record.released == "run-1"
    (change,) = record.changes
    assert (change.kind, change.where) == ("api-path-removed-without-deprecation", "POST /compare")
    value = interface_values(record)[2]
    assert (value.value, value.error) == (
        1.0,
        "POST /compare the path is gone (api-path-removed-without-deprecation)",
    )
    write_released_document(bundle, ReleasedDocument(run_id="run-1"))
    value = interface_values(tried(given, SmallService(), monkeypatch)["record"])[2]
    assert (value.value, value.applies) == (0.0, True)
    assert value.error == "the released model has no document: nothing was compared"


def test_a_released_document_that_is_too_intricate_is_no_pass(given: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bundle = Bundle(given / "bundle")
    (bundle.path / "interface").mkdir()
    released = api()
    face = {"allOf": [{"$ref": "#/components/schemas/Face"}]}
    released["components"]["schemas"]["Face"] = face
    write_released_document(bundle, ReleasedDocument(run_id="run-1", document=released))
    answers, faults, breaks = interface_values(tried(given, SmallService(), monkeypatch)["record"])
    assert (answers.value, faults.value, breaks.value) == (0.0, 1.0, None)
    assert "too intricate to be compared" in (breaks.error or "")


def test_what_was_found_is_counted_and_told() -> None:
    made_up = [
        InterfaceFinding(operation="GET /a", kind="server-error", what=f"answers 50{n}", status=500) for n in range(7)
    ]
    wrong = InterfaceFinding(operation="POST /b", kind="answer", what="answers 200 with text", case="one", count=3)
    changes = [BreakingChange(kind="x", where="GET /a", what="is gone")]
    record = InterfaceRecord(
        document="/o",
        tool="t",
        wrong_answers=3,
        findings=[wrong, *made_up],
        released="run-1",
        released_has_document=True,
        changes=changes,
    )
    answers, faults, breaks = interface_values(record)
    assert (answers.value, answers.error) == (3.0, "POST /b answers 200 with text")
    assert faults.value == 7.0
    assert (faults.error or "").endswith("GET /a answers 504; and 2 more")
    assert (breaks.value, breaks.error) == (1.0, "GET /a is gone (x)")
    ended = InterfaceRecord(document="/o", ended="it was ended", findings=made_up[:1])
    assert [value.value for value in interface_values(ended)] == [None, 1.0, None]


def test_values_take_the_place_of_earlier_ones(tmp_path: Path) -> None:
    bundle = Bundle(tmp_path)
    other = Measurement(case="one", metric="latency", value=0.5)
    bundle.write_measurements([other, Measurement(case="*", metric="interface_faults", value=9.0)])
    add_interface_values(bundle, InterfaceRecord(document="/o", tool="t"))
    kept = {found.metric: found.value for found in bundle.measurements()}
    assert kept == {"latency": 0.5, "interface_answers": 0.0, "interface_faults": 0.0, "interface_breaks": None}
