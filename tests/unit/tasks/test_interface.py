"""The step interface: the service beside it is tested against its document, and what is found is a result."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import penstock_tasks.interface.entrypoint as interface
import pytest
import yaml
from tests.pipeline.pipeline_runs import contract
from tests.unit.tasks.step_folders import StepFolders
from tests.unit.tasks.test_browse import CALL, SERVICE, fetched, sidecar

from penstock.bundle.directory import Bundle
from penstock.bundle.interface_record import BreakingChange, InterfaceFinding, InterfaceRecord


@pytest.fixture
def served(folders: StepFolders) -> StepFolders:
    """A service with a document, cloned."""
    text = yaml.safe_dump(contract(call=CALL, checks=[], interface={"document": "/openapi.json"}), allow_unicode=True)
    folders.write_repository(penstock_yaml=text, model_py=SERVICE)
    folders.cloned()
    folders.measured()
    return folders


@pytest.mark.slow
@pytest.mark.parametrize("fault", [None, "the OpenAPI document cannot be used: " + "x" * 500])
def test_what_is_found_is_a_result(served: StepFolders, monkeypatch: pytest.MonkeyPatch, fault: str | None) -> None:
    finding = InterfaceFinding(operation="GET /a", kind="server-error", what="answers 500", curl="curl x")
    change = BreakingChange(kind="api-removed-without-deprecation", where="GET /b", what="the method is gone")

    def tried(_contract: Any, given: Any, _suite: Any, source: Path, bundle: Bundle, port: int) -> InterfaceRecord:
        assert given.document == "/openapi.json"
        assert (source, bundle.path) == (served.source, served.bundle.path)
        assert fetched(port) == b"<p>the page</p>"
        if fault is not None:
            return InterfaceRecord(document="/openapi.json", fault=fault)
        more = {"released": "run-1", "released_has_document": True, "changes": [change]}
        return InterfaceRecord(document="/openapi.json", tool="t", findings=[finding], **more)

    monkeypatch.setattr(interface, "try_interface", tried)
    with sidecar(served, "--step=interface") as codes:
        answer = served.call("interface")
    assert (answer.code, codes) == (0, [0]), answer.error
    assert answer.results["findings"] == ("1" if fault is None else "0")
    assert len(answer.results["fault"].encode()) <= 400
    values = {found.metric: found.value for found in served.bundle.measurements() if found.case == "*"}
    wanted = (0.0, 1.0, 1.0) if fault is None else (None, None, None)
    assert values == dict(zip(("interface_answers", "interface_faults", "interface_breaks"), wanted, strict=True))
    assert served.bundle.run().steps[-1].name == "interface"
    log = (served.bundle.path / "logs" / "interface-model.log").read_text(encoding="utf-8")
    assert "cards: ''" in log, "no card is held for it"
    if fault is None:
        told = [line for line in answer.lines if line["event"] in ("finding", "breaking change")]
        assert [line["what"] for line in told] == ["answers 500", "the method is gone"]


def test_a_contract_without_one_has_nothing_to_test(folders: StepFolders) -> None:
    folders.write_repository()
    answer = folders.call("interface")
    expected = "penstock.yaml: the contract has no interface. Write a section 'interface'."
    assert (answer.code, answer.error) == (2, expected)


@pytest.mark.slow
def test_a_service_that_does_not_start_is_the_worlds_fault(
    served: StepFolders, monkeypatch: pytest.MonkeyPatch
) -> None:
    (served.source / "model.py").write_text("raise SystemExit('no weights')")
    with sidecar(served, "--step=interface") as codes:
        answer = served.call("interface")
    assert (answer.code, codes) == (4, [0])
    assert "before it was ready" in answer.error
