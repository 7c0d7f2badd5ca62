"""``export/export.json`` is read as it was written, and what it says is told to every later step."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from penstock.bundle.directory import Bundle
from penstock.bundle.export_record import (
    ExporterRecord,
    ExportRecord,
    add_export_value,
    backend_bundle,
    export_record,
    tried_record,
    write_export_record,
)
from penstock.bundle.models import Isolation, Measurement
from penstock.bundle.steps import begin
from penstock.foundation.errors import UsageError

RECORD = ExportRecord(
    weights="net.onnx",
    sha256="a" * 64,
    switch="USE_ONNX",
    use_onnx=False,
    fault="mae is 0.1, over the limit of 0.005",
    exporter=ExporterRecord(argv=["x"], seconds=1.0),
    isolation=Isolation(level="landlock"),
)


@pytest.fixture
def bundle(tmp_path: Path) -> Bundle:
    begin(Bundle(tmp_path), run_id="r", track="release")
    (tmp_path / "export").mkdir()
    return Bundle(tmp_path)


def test_is_read_as_it_was_written_and_run_json_says_what_the_model_is_told(bundle: Bundle) -> None:
    assert (export_record(bundle), tried_record(bundle), bundle.run().use_onnx) == (None, None, None)
    write_export_record(bundle, RECORD)
    assert export_record(bundle) == RECORD
    assert bundle.run().use_onnx is False
    assert json.loads((bundle.path / "export" / "export.json").read_text(encoding="utf-8"))["schema_version"] == 1


def test_the_outcome_is_one_value(bundle: Bundle) -> None:
    other = Measurement(case="one", metric="mae", value=0.1)
    bundle.write_measurements([other])
    add_export_value(bundle)
    assert bundle.measurements() == [other], "nothing was compared"
    write_export_record(bundle, RECORD)
    for _ in range(2):
        add_export_value(bundle)
    value = Measurement(case="*", metric="export", value=0.0, error=RECORD.fault)
    assert bundle.measurements() == [other, value]
    write_export_record(bundle, RECORD.model_copy(update={"use_onnx": True, "fault": None}))
    add_export_value(bundle)
    assert bundle.measurements()[-1] == Measurement(case="*", metric="export", value=1.0)


def test_each_backend_has_a_bundle_of_its_own(bundle: Bundle) -> None:
    assert backend_bundle(bundle, "trained").outputs == bundle.path / "export" / "trained" / "outputs"


def test_one_of_a_newer_penstock_is_refused(bundle: Bundle) -> None:
    (bundle.path / "export" / "export.json").write_text('{"schema_version": 2}', encoding="utf-8")
    with pytest.raises(UsageError, match="newer Penstock"):
        export_record(bundle)
