"""What the tests of ``report`` share."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.report.judged_pairs import HOSTILE, make_bundle, rule

from penstock.bundle.directory import Bundle
from penstock.bundle.verdict_record import Verdict


@pytest.fixture
def pair(tmp_path: Path) -> tuple[Bundle, Bundle]:
    """A rejected candidate and its baseline, with three cases."""
    candidate = make_bundle(tmp_path / "candidate", "new", {"good": 8.0, "bad": 9.9, "dead": None})
    baseline = make_bundle(tmp_path / "baseline", "old", {"good": 8.1, "bad": 8.0, "dead": 8.0})
    rules = [rule("fid", "pass"), rule("lse_d", "fail", f"LSE-D rose {HOSTILE}")]
    candidate.write_verdict(Verdict(verdict="fail", baseline="old", candidate="new", level=0.05, rules=rules))
    return candidate, baseline
