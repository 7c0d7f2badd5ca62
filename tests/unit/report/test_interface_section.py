"""The report shows what was found of a service's interface, with commands that are text and nothing else."""

from __future__ import annotations

from pathlib import Path

from tests.unit.report.read_pages import read

from penstock.bundle.directory import Bundle
from penstock.bundle.interface_record import (
    BreakingChange,
    InterfaceFinding,
    InterfaceRecord,
    TriedOperation,
    write_interface_record,
)
from penstock.report.interface_section import interface_section
from penstock.report.page import write_report

FINDINGS = [
    InterfaceFinding(
        operation="POST /a", kind="server-error", what="answers 500 <b>", count=3, curl="curl '<script>alert(1)'"
    ),
    InterfaceFinding(operation="GET /b", kind="answer", what="answers 200 with text", count=1, case="cup"),
]
TRIED = [
    TriedOperation(operation="POST /a", requests=12, statuses={"200": 9, "500": 3}),
    TriedOperation(operation="GET /c", left_out="its time was over"),
]


def bundle_of(bundle: Bundle, **fields: object) -> Bundle:
    (bundle.path / "interface").mkdir(parents=True, exist_ok=True)
    write_interface_record(
        bundle, InterfaceRecord.model_validate({"document": "/openapi.json", "tool": "t 1", **fields})
    )
    return bundle


def test_a_bundle_without_an_interface_has_no_such_part(pair: tuple[Bundle, Bundle]) -> None:
    write_report(*pair)
    html, _ = read(pair[0].report / "index.html")
    assert interface_section(pair[0]) is None
    assert 'id="interface"' not in html


def test_findings_stand_there_with_their_commands_and_nothing_of_them_runs(pair: tuple[Bundle, Bundle]) -> None:
    change = BreakingChange(kind="api-removed-without-deprecation", where="GET /<i>", what="the method is gone")
    more = {"released": "run-1", "released_has_document": True, "changes": [change]}
    bundle_of(pair[0], findings=FINDINGS, operations=TRIED, answers=2, **more)
    write_report(*pair)
    html, tags = read(pair[0].report / "index.html")
    part = html[html.index('id="interface"') : html.index('id="ran"')]
    assert "answers 500 &lt;b&gt;</bdi> <small>(3 requests)</small>" in part
    assert "<code>curl &#39;&lt;script&gt;alert(1)&#39;</code>" in part
    assert "(1 answer, the first of the case cup)" in part
    assert "GET /&lt;i&gt;" in part
    assert "api-removed-without-deprecation" in part
    assert "1 change from the current release (run-1) break programs:" in part
    assert "12 requests: 9 × 200, 3 × 500" in part
    assert "0 requests: no answer; not all were made: its time was over" in part
    assert "2 answers compared; 12 requests made up by t 1 from seed 0" in part
    assert tags.running == 1, "nothing of it runs"


def test_what_is_said_of_the_released_document(tmp_path: Path) -> None:
    def said(**fields: object) -> str:
        section = interface_section(bundle_of(Bundle(tmp_path), **fields))
        assert section is not None
        return section.compared

    assert said() == "There is no released document to compare with."
    assert said(released="r") == "The current release (r) has no document to compare with."
    known = {"released": "r", "released_has_document": True}
    assert said(**known) == "It could not be compared with that of the current release (r)."
    assert said(**known, changes=[]) == "Nothing breaks programs that use the current release (r)."


def test_a_document_that_cannot_be_used_is_a_fault(tmp_path: Path) -> None:
    section = interface_section(bundle_of(Bundle(tmp_path), fault="it is not JSON"))
    assert section is not None
    assert section.fault == "it is not JSON"
