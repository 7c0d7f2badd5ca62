"""What came of a service's interface is kept in the bundle, and read again."""

from __future__ import annotations

from pathlib import Path

from penstock.bundle.directory import Bundle
from penstock.bundle.interface_record import (
    InterfaceFinding,
    InterfaceRecord,
    ReleasedDocument,
    interface_record,
    released_document,
    write_interface_record,
    write_released_document,
)


def test_a_bundle_without_one_has_none(tmp_path: Path) -> None:
    assert interface_record(Bundle(tmp_path)) is None
    assert released_document(Bundle(tmp_path)) is None


def test_what_is_written_is_read(tmp_path: Path) -> None:
    bundle = Bundle(tmp_path)
    (tmp_path / "interface").mkdir()
    made_up = InterfaceFinding(operation="GET /a", kind="server-error", what="answers 500", status=500, curl="curl x")
    of_a_case = InterfaceFinding(operation="GET /a", kind="answer", what="is text", case="one")
    record = InterfaceRecord(document="/openapi.json", findings=[made_up, of_a_case])
    write_interface_record(bundle, record)
    assert interface_record(bundle) == record
    assert record.made_up == [made_up]
    released = ReleasedDocument(run_id="run-1", document={"openapi": "3.1.0", "größe": [1, 2.5, None]})
    write_released_document(bundle, released)
    assert released_document(bundle) == released
