"""The bundle of a run that has begun."""

from __future__ import annotations

from pathlib import Path

import pytest

from penstock.bundle.directory import Bundle
from penstock.bundle.steps import begin


@pytest.fixture
def bundle(tmp_path: Path) -> Bundle:
    """It holds nothing yet."""
    bundle = Bundle(tmp_path / "bundle")
    begin(bundle, run_id="run-1", track="release")
    return bundle
