"""Where a commit's status leads, and what it says of a run that did not come to a verdict."""

from __future__ import annotations

from pathlib import Path

import pytest

from penstock.bundle.directory import Bundle
from penstock.notices.notice import NoticeLink
from penstock.notices.quick_status import run_status

BOARD, REPORT = NoticeLink("board", "https://x.example/b"), NoticeLink("report", "https://x.example/r")


@pytest.mark.parametrize(
    ("links", "wanted"), [((), ""), ((BOARD,), BOARD.url), ((BOARD, REPORT), REPORT.url), ((REPORT, BOARD), REPORT.url)]
)
def test_it_leads_to_the_report_if_there_is_a_link(tmp_path: Path, links: tuple[NoticeLink, ...], wanted: str) -> None:
    found = run_status(Bundle(tmp_path), "Failed", "broke in the step check: ruff", links)
    assert (found.state, found.description, found.target_url) == ("error", "broke in the step check: ruff", wanted)
