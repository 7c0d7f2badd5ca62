"""``environment.json``: written, read, and said in one line."""

from __future__ import annotations

from pathlib import Path

from penstock.bundle.directory import Bundle
from penstock.bundle.environment_record import (
    EnvironmentFinding,
    EnvironmentRecord,
    LayerRecord,
    environment_record,
    in_one_line,
    write_environment_record,
)

ERROR = EnvironmentFinding(kind="cuda", severity="error", what="CUDA 11 is not 12")
WARNING = EnvironmentFinding(kind="user", severity="warning", what="root")


def test_it_is_read_as_it_was_written(tmp_path: Path) -> None:
    record = EnvironmentRecord(
        read="image", python=["3.11"], layers=[LayerRecord(digest="sha256:a", bytes=3)], findings=[ERROR, WARNING]
    )
    assert environment_record(Bundle(tmp_path)) is None
    write_environment_record(Bundle(tmp_path), record)
    assert environment_record(Bundle(tmp_path)) == record
    assert (record.errors, record.warnings) == ([ERROR], [WARNING])


def test_a_record_with_the_least_is_read(tmp_path: Path) -> None:
    (tmp_path / "environment.json").write_text('{"read": "recipe", "of a newer version": 1}')
    assert environment_record(Bundle(tmp_path)) == EnvironmentRecord(read="recipe")


def test_findings_in_one_line() -> None:
    assert in_one_line([]) is None
    assert in_one_line([ERROR]) == "CUDA 11 is not 12"
    assert in_one_line([ERROR, WARNING, WARNING]) == "CUDA 11 is not 12, and 2 more"
