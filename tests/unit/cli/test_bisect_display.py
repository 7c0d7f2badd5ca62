"""What a person sees of a bisection."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.unit.bisect.histories import commits
from tests.unit.bisect.test_saved_bisection import bisection

from penstock.bisect.saved_bisection import CommitRecord
from penstock.cli.bisect_display import short


def test_commit_is_one_line_and_drives_no_terminal() -> None:
    record = CommitRecord.of(commits(1)[0]).model_copy(update={"subject": "x\n\033[2J\ty"})
    assert short(record).startswith(record.hash[:12])
    assert "\033" not in short(record)
    assert "\n" not in short(record)


def test_record_is_json(tmp_path: Path) -> None:
    assert json.loads(bisection().model_dump_json())["metric"] == "lse_d"
    with pytest.raises(ValueError, match="outcome"):
        bisection().model_validate({**bisection().model_dump(), "outcome": "whatever"})
