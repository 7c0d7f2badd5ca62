"""What ``penstock check`` says of a document that is not there, and of rules without one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.pipeline.pipeline_runs import contract, files

from penstock.contract.check import check_repository
from penstock.families.registry import directions

CALL = {"http": {"argv": ["x"], "path": "/x", "files": {"image": "image"}, "response": "video/mp4"}}


def faults(folder: Path, policy: list[dict[str, Any]] | None = None, **changes: Any) -> list[str]:
    value = contract(**{"call": CALL, "checks": [], **changes})
    value["policy"]["rules"] += policy or []
    for name, content in {**files(), "penstock.yaml": yaml.safe_dump(value)}.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    found = check_repository(folder, metrics=directions()).faults
    return [f"{fault.what}. {fault.todo}" for fault in found if "interface" in fault.what or "OpenAPI" in fault.what]


def test_a_document_of_the_service_is_asked_for_when_it_runs(tmp_path: Path) -> None:
    assert faults(tmp_path, interface={"document": "/openapi.json"}) == []


def test_a_document_of_the_repository_must_be_there(tmp_path: Path) -> None:
    (tmp_path / "openapi.json").write_text("{}")
    assert faults(tmp_path, interface={"document": "openapi.json"}) == []
    value = contract(call=CALL, checks=[], interface={"document": "gone.json"})
    (tmp_path / "penstock.yaml").write_text(yaml.safe_dump(value))
    found = check_repository(tmp_path, metrics=directions()).faults
    assert [fault.what for fault in found if "gone.json" in fault.what] == ["there is no file 'gone.json'"]
    value = contract(call=CALL, checks=[], interface={"document": "../secret.json"})
    (tmp_path / "penstock.yaml").write_text(yaml.safe_dump(value))
    (fault,) = (one for one in check_repository(tmp_path, metrics=directions()).faults if "secret.json" in one.what)
    assert fault.line > 1


def test_a_program_has_none(tmp_path: Path) -> None:
    call = {"command": {"argv": ["x", "{output}"]}}
    assert faults(tmp_path, call=call, interface={"document": "/openapi.json"}) == [
        "a program has no OpenAPI document: 'interface' goes with 'call.http'. Leave it out."
    ]


@pytest.mark.parametrize("metric", ["interface_answers", "interface_faults", "interface_breaks"])
def test_rules_want_a_document_and_are_about_the_whole_suite(metric: str, tmp_path: Path) -> None:
    (said,) = faults(tmp_path, [{"metric": metric, "max": 0}])
    assert said.startswith(f"'{metric}' is about the service's OpenAPI document, and the contract has no 'interface'")
    rule = {"metric": metric, "max": 0, "worst": 1}
    (said,) = faults(tmp_path, [rule], interface={"document": "/openapi.json"})
    assert said.startswith(f"'{metric}' is one value for the whole suite: no case has one. Leave 'worst' out; 'max: 0'")
