"""The files of a suite's cases, as a view gets them."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.families.matting.matting_repository import matting_repository

from penstock.bundle.directory import Bundle
from penstock.foundation.errors import UsageError
from penstock.report.case_files import suite_files


def test_a_case_has_its_inputs_and_what_was_withheld(tmp_path: Path) -> None:
    source = matting_repository(tmp_path / "source", case={"parameters": {"scale_to": 7}})
    files = suite_files(Bundle(tmp_path), source).of("a")
    assert files is not None
    assert files.inputs == {"image": source / "suite" / "photo" / "a.png"}
    assert files.withheld == {"truth": (source / "suite/truth/t1.png", source / "suite/truth/t2.png")}
    assert files.given["scale_to"] == 7


def test_a_case_that_the_suite_has_not_has_none(tmp_path: Path) -> None:
    assert suite_files(Bundle(tmp_path), matting_repository(tmp_path / "source")).of("other") is None


def test_a_link_out_of_the_repository_is_not_followed(tmp_path: Path) -> None:
    source = matting_repository(tmp_path / "source")
    files = suite_files(Bundle(tmp_path), source)
    photo = source / "suite" / "photo" / "a.png"
    photo.rename(tmp_path / "secret.png")
    photo.symlink_to(tmp_path / "secret.png")
    assert files.of("a") is None


def test_without_a_contract_it_is_said(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"penstock\.yaml|missing"):
        suite_files(Bundle(tmp_path), tmp_path)
