"""``page/page.json`` is read as it was written; bundles of older versions have none."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from penstock.bundle.directory import Bundle
from penstock.bundle.page_record import PageRecord, page_record, write_page_record
from penstock.foundation.errors import UsageError


def test_is_read_as_it_was_written(tmp_path: Path) -> None:
    (tmp_path / "page").mkdir()
    record = PageRecord(case="one", path="/", fault="it hangs", size=(3, 2), difference=4, elsewhere=["http://x/"])
    write_page_record(Bundle(tmp_path), record)
    assert page_record(Bundle(tmp_path)) == record
    assert json.loads((tmp_path / "page" / "page.json").read_text(encoding="utf-8"))["schema_version"] == 1


def test_a_bundle_of_a_model_without_a_page_has_none(tmp_path: Path) -> None:
    assert page_record(Bundle(tmp_path)) is None


def test_one_of_a_newer_penstock_is_refused(tmp_path: Path) -> None:
    (tmp_path / "page").mkdir()
    (tmp_path / "page" / "page.json").write_text('{"schema_version": 2, "case": 1}', encoding="utf-8")
    with pytest.raises(UsageError, match="newer Penstock"):
        page_record(Bundle(tmp_path))
