"""The summary and the comment on a pull request: short, whole, and inert whatever the texts are."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.report.verdicts import ALL, FIRST, RUN, WAIVER, rule, verdict_of

from penstock.bundle.directory import Bundle
from penstock.bundle.models import Run
from penstock.bundle.steps import begin
from penstock.notices.pull_request import comment_text, marker, pull_request_markdown, write_beside_page
from penstock.report.summary import INVISIBLE, MAX_CHARACTERS, markdown_summary, plain


def test_what_stops_the_release_comes_first_then_what_does_not() -> None:
    lines = markdown_summary(RUN, ALL).splitlines()
    assert lines[0] == "## sonic 1.1.0: rejected"
    bullets = [line for line in lines if line.startswith("- ")]
    assert [bullet.split(":")[0] for bullet in bullets] == [
        "- **LSE-C**",
        "- **KID**",
        "- **LSE-D**",
        "- **LSE-D (fast)** (warning)",
        "- **jitter** (advisory)",
        "- **sharpness** (waived)",
        "- **latency** (pass)",
    ]
    assert "*waived until 2026-12-31 by Ada: the new codec is worth it*" in bullets[5]
    assert "*the waiver expired on 2026-01-31 and no longer counts, by Ada: the new codec is worth it*" in bullets[1]


def test_the_table_has_interval_and_the_cases_that_would_settle_it() -> None:
    rows = [line for line in markdown_summary(RUN, ALL).splitlines() if line.startswith("|")]
    assert rows[0] == "| rule | baseline | candidate | change | interval | limit | verdict |"
    assert len(rows) == 2 + len(ALL.rules)
    assert rows[4].endswith("| +1.100 … +1.600 | ≤ 9 | inconclusive (8 cases, 40 would settle it) |")
    assert "| – | ≤ 9 | fail |" in markdown_summary(RUN, verdict_of(rule(interval=None)))


def test_a_first_release_never_says_that_a_margin_holds() -> None:
    lines = markdown_summary(RUN, FIRST).splitlines()
    assert lines[2] == (
        "- First release: there is no baseline to compare with: 1 rule holds, 1 holds its bounds "
        "(margin not compared), 2 not compared."
    )
    assert [line.rsplit("| ", 1)[1] for line in lines if line.startswith("| ")][1:] == [
        "pass |",
        "pass (margin not compared) |",
        "not compared (no baseline) |",
        "not compared (no baseline) |",
    ]
    broken = verdict_of(*FIRST.rules, rule(baseline=None), baseline=None)
    assert "- First release: there is no baseline to compare with." in markdown_summary(RUN, broken)


def test_the_comment_begins_with_its_marker_and_says_what_it_speaks_of() -> None:
    text = pull_request_markdown(RUN, ALL)
    assert text.startswith("<!-- penstock: sonic release -->\n## sonic 1.1.0: rejected\n")
    assert "commit cccccccccccc, run release-7, 8 cases, baseline release-6, level 0.05" in text


def test_the_marker_cannot_be_left() -> None:
    assert marker(Run(penstock="0", run_id="r", model="--> x\n" + "y" * 999)).count("-->") == 1
    assert re.fullmatch(
        r"<!-- penstock: [A-Za-z0-9._-]+ [A-Za-z0-9._-]+ -->", marker(RUN.model_copy(update={"model": ""}))
    )


@pytest.mark.parametrize("count", [1, 200, 900])
def test_a_long_one_is_cut_at_a_line_and_says_so(count: int) -> None:
    long = verdict_of(*[rule(reason=f"{number} " + "ü|" * 300) for number in range(count)])
    text = pull_request_markdown(RUN, long)
    assert len(text) <= MAX_CHARACTERS
    assert text.startswith(marker(RUN))
    assert text.endswith("</sub>\n")
    assert ("Cut here" in text) == (count > 1)
    assert len(markdown_summary(RUN, long)) <= MAX_CHARACTERS


@pytest.mark.parametrize(
    ("hostile", "wanted"),
    [
        ("@everyone look", f"@{INVISIBLE}everyone look"),
        ("fixes #12", f"fixes #{INVISIBLE}12"),
        ("GH-12", f"GH-{INVISIBLE}12"),
        ("https://evil.example", f"https://{INVISIBLE}evil.example"),
        ("see www.evil.example", f"see www{INVISIBLE}.evil.example"),
        ("!12 ~bug %1 $2 &3", f"\\!{INVISIBLE}12 \\~{INVISIBLE}bug %{INVISIBLE}1 ${INVISIBLE}2 &{INVISIBLE}3"),
        ("x@sha256:00", "x@sha256:00"),
        ("x@everyone 1@here", f"x@{INVISIBLE}everyone 1@{INVISIBLE}here"),
        ("mailto:a@b.example", f"mailto:a@{INVISIBLE}b.example"),
        ("## Title", "\\## Title"),
        ("#1", f"\\#{INVISIBLE}1"),
        ("- item", "\\- item"),
        ("+ item", "\\+ item"),
        ("12. item", "12\\. item"),
        ("1) item", "1\\) item"),
        ("- - -", "\\- - -"),
        ("---", "\\---"),
        ("-0.5 to 1.5", "-0.5 to 1.5"),
        ("1.5 s", "1.5 s"),
        ("+5 %, 3 < 4", "+5 %, 3 \\< 4"),
        ("a\n/merge", "a /merge"),
        ("\x1b[2J\u202egnp", "\\\\x1b\\[2J\\\\u202egnp"),
        ("<!-- x -->", "\\<\\!-- x --\\>"),
        ("`a`|*b*|_c_", "\\`a\\`\\|\\*b\\*\\|\\_c\\_"),
    ],
)
def test_texts_call_nobody_and_link_nowhere(hostile: str, wanted: str) -> None:
    assert plain(hostile) == wanted


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=60), st.text(max_size=20))
def test_whatever_the_texts_are_the_shape_stays(text: str, name: str) -> None:
    bad = rule(
        reason=text, metric=f"m{name}", slice=text, limit=text, waiver=WAIVER.model_copy(update={"reason": text})
    )
    markdown = markdown_summary(RUN.model_copy(update={"model": name}), verdict_of(bad))
    lines = markdown.splitlines()
    assert [line[:2] for line in lines] == ["##", "", "- ", "", "| ", "|-", "| "]
    assert len(re.findall(r"(?<!\\)(?:\\\\)*\|", lines[-1])) == 8
    assert not re.search(r"(?<!\\)(?:\\\\)*[<>\[\]`]", "".join(lines[:3]))


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
