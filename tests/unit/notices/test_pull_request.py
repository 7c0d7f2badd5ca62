"""The comment on a pull request: its marker, its size, and a run that broke."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from tests.unit.report.verdicts import ALL, RUN, rule, verdict_of

from penstock.bundle.directory import Bundle
from penstock.bundle.models import Run
from penstock.bundle.steps import begin
from penstock.notices.notice import NoticeLink
from penstock.notices.pull_request import comment_text, marker, pull_request_markdown, write_beside_page
from penstock.report.summary import MAX_CHARACTERS, markdown_summary


def test_the_comment_begins_with_its_marker_and_says_what_it_speaks_of() -> None:
    text = pull_request_markdown(RUN, ALL)
    assert text.startswith("<!-- penstock: sonic release -->\n## sonic 1.1.0: rejected\n")
    assert "commit cccccccccccc, run release-7, 8 cases, baseline release-6, level 0.05" in text


def test_the_marker_cannot_be_left() -> None:
    assert marker(Run(penstock="0", run_id="r", model="--> x\n" + "y" * 999)).count("-->") == 1
    assert re.fullmatch(
        r"<!-- penstock: [A-Za-z0-9._-]+ [A-Za-z0-9._-]+ -->", marker(RUN.model_copy(update={"model": ""}))
    )


@pytest.mark.slow
@pytest.mark.parametrize("count", [1, 200, 900])
def test_a_long_one_is_cut_at_a_line_and_says_so(count: int) -> None:
    long = verdict_of(*[rule(reason=f"{number} " + "ü|" * 300) for number in range(count)])
    text = pull_request_markdown(RUN, long)
    assert len(text) <= MAX_CHARACTERS
    assert text.startswith(marker(RUN))
    assert text.endswith("</sub>\n")
    assert ("Cut here" in text) == (count > 1)
    assert len(markdown_summary(RUN, long)) <= MAX_CHARACTERS


# beside the page, and of runs that broke


@pytest.fixture
def bundle(tmp_path: Path) -> Bundle:
    found = Bundle(tmp_path / "bundle")
    begin(found, run_id="release-7", track="release")
    found.update_run(RUN)
    return found


def test_the_files_lie_beside_the_page(bundle: Bundle) -> None:
    bundle.write_verdict(ALL)
    write_beside_page(bundle)
    assert (bundle.report / "pull-request.md").read_text(encoding="utf-8") == comment_text(bundle)
    assert 'tests="8"' in (bundle.report / "junit.xml").read_text(encoding="utf-8")


def test_a_broken_run_has_a_comment_too(bundle: Bundle) -> None:
    text = comment_text(bundle, "Failed")
    assert text.startswith(f"{marker(RUN)}\n## sonic release run release-7 broke\n")
    bundle.write_verdict(ALL)
    assert "broke" in comment_text(bundle, "Failed"), "the evidence could not be stored, for example"
    assert "rejected" in comment_text(bundle, "Completed")


def test_the_worst_cases_picture_is_shown_where_it_can_be_had(bundle: Bundle) -> None:
    bundle.write_verdict(ALL)
    picture = NoticeLink("picture", "https://pictures.example/sonic/release-7.png")
    assert "![" not in comment_text(bundle, picture=picture), "the step report has drawn none"
    (bundle.report / "pictures").mkdir(parents=True)
    (bundle.report / "pictures" / "worst.png").write_bytes(b"png")
    assert "![" not in comment_text(bundle)
    assert "\n![Worst case](<https://pictures.example/sonic/release-7.png>)\n" in comment_text(bundle, picture=picture)
    assert "![" not in comment_text(bundle, "Failed", picture=picture)
