"""Where a commit's status leads, and what it says of a run that did not come to a verdict."""

from __future__ import annotations

from pathlib import Path

import pytest

from penstock.bundle.directory import Bundle
from penstock.bundle.failures import remember_failure
from penstock.notices.notice import NoticeLink
from penstock.notices.quick_status import run_status

BOARD, REPORT = NoticeLink("board", "https://x.example/b"), NoticeLink("report", "https://x.example/r")


@pytest.mark.parametrize(
    ("links", "wanted"), [((), ""), ((BOARD,), BOARD.url), ((BOARD, REPORT), REPORT.url), ((REPORT, BOARD), REPORT.url)]
)
def test_it_leads_to_the_report_if_there_is_a_link(tmp_path: Path, links: tuple[NoticeLink, ...], wanted: str) -> None:
    found = run_status(Bundle(tmp_path), "Failed", "broke in the step check: ruff", links)
    assert (found.state, found.description, found.target_url) == ("error", "broke in the step check: ruff", wanted)


def test_of_a_broken_run_it_says_the_step_and_the_reason_first(tmp_path: Path) -> None:
    """A forge shows some 140 characters: the run's name and the repository's address would be all that is seen."""
    bundle, said = Bundle(tmp_path), "verify run pull-3-471604a5-a64fb2c9 broke in the step clone: https://x.example/…"
    why = "it cannot be merged into 'main': conflicts in MAIN. Rebase it on 'main'"
    remember_failure(bundle, "clone", f"https://gitea.example.org/mona/sonic-lite.git: {why}")
    assert run_status(bundle, "Failed", said).description == f"clone: {why}"
    remember_failure(bundle, "clone", "penstock.yaml:3: name: it is missing")
    assert run_status(bundle, "Failed", said).description == "clone: penstock.yaml:3: name: it is missing"
