"""A suite that something has changed since it was brought is put to no model."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.suites.tarred import FILES

from penstock.bundle.models import Run, SuiteOrigin
from penstock.contract.suite_sources import FOLDER
from penstock.foundation.errors import UsageError
from penstock.suites.held_suite import hold_provided
from penstock.suites.suite_files import digest_of, listed

ADDRESS = f"oci://registry.example.org/suites/a@sha256:{'5' * 64}"


def test_what_is_there_must_be_what_was_brought(tmp_path: Path) -> None:
    for path, content in FILES.items():
        (tmp_path / FOLDER / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / FOLDER / path).write_bytes(content)
    origin = SuiteOrigin(address=ADDRESS, files=digest_of(listed(tmp_path / FOLDER)))
    run = Run(penstock="0", run_id="r", suite_from=origin)
    hold_provided(run, ADDRESS, tmp_path)
    hold_provided(run.model_copy(update={"suite_from": None}), "suite", tmp_path)
    with pytest.raises(UsageError, match="not those that were brought"):
        hold_provided(run.model_copy(update={"suite_from": None}), ADDRESS, tmp_path)
    (tmp_path / FOLDER / "a" / "b.png").write_bytes(b"another")
    with pytest.raises(UsageError, match="not those that were brought"):
        hold_provided(run, ADDRESS, tmp_path)
