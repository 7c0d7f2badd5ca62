"""What people are told of a commit that is not released: the words, the status, the worst case."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.report.verdicts import RUN, rule, verdict_of

from penstock.bundle.directory import Bundle
from penstock.bundle.models import Invocation, Measurement
from penstock.bundle.steps import begin
from penstock.bundle.verdict_record import NotAsked, Verdict, Weakened
from penstock.notices.commit_status import MAX_DESCRIPTION, short
from penstock.notices.message import headline, message
from penstock.notices.notice import NoticeLink
from penstock.notices.pull_request import comment_text, marker
from penstock.notices.quick_notice import link_line, quick_state, quick_told, worst_lines
from penstock.notices.quick_status import run_status
from penstock.report.summary import markdown_summary

TRIED = RUN.model_copy(update={"track": "verify"})
LINKS = (
    NoticeLink("files", "https://evidence.example/pulls/sonic/7/run/"),
    NoticeLink("report", "https://book.example/r"),
)
OPEN = rule("inconclusive", change=0.2, margin=0.4, better="lower", metric="lse_c")
WORSE = rule("inconclusive", change=1.36, margin=0.4, better="lower")
WEAKER = Weakened(metric="own", slice="[x](http://evil.example) @all", what="there is no such rule any more")
LEFT = [
    NotAsked(metric="fid", slice=None, why="a value of the whole suite"),
    NotAsked(metric="kid", slice=None, why="a value of the whole suite"),
    NotAsked(metric="page", slice=None, why="only a release tries it"),
]


@pytest.fixture
def bundle(tmp_path: Path) -> Bundle:
    found = Bundle(tmp_path / "bundle")
    begin(found, run_id="release-7", track="verify")
    found.update_run(TRIED)
    found.write_invocations(
        [Invocation(case=case, status="ok", output=f"outputs/{case}/output.mp4") for case in ("calm", "a b")]
    )
    values = {"calm": 8.0, "a b": 10.5}
    found.write_measurements(Measurement(case=case, metric="lse_d", value=value) for case, value in values.items())
    return found


@pytest.mark.parametrize(
    ("verdict", "state", "words"),
    [
        (verdict_of(rule("pass"), verdict="pass"), "success", "accepted: 1 rule holds, against release-6"),
        (
            verdict_of(rule("pass"), verdict="pass", baseline=None, uncompared="no store is named"),
            "success",
            "accepted: 1 rule holds; no store is named",
        ),
        (
            verdict_of(rule("pass"), verdict="pass", weakened=[WEAKER]),
            "success",
            "accepted: 1 rule holds, against release-6; by a weaker policy",
        ),
        (
            verdict_of(OPEN, verdict="inconclusive", cases="smoke", weakened=[WEAKER]),
            "success",
            "nothing worse shown on 8 'smoke' cases; by a weaker policy; undecided: LSE-C",
        ),
        (verdict_of(rule(), rule("pass", metric="fid"), cases="smoke"), "failure", "rejected: LSE-D"),
        (
            verdict_of(OPEN, verdict="inconclusive", cases="smoke"),
            "success",
            "nothing worse shown on 8 'smoke' cases; undecided: LSE-C",
        ),
        (
            verdict_of(OPEN, WORSE, verdict="inconclusive", cases="smoke"),
            "failure",
            "looks worse by LSE-D; the full suite can tell: /penstock verify full",
        ),
        (verdict_of(OPEN, verdict="inconclusive"), "failure", "undecided: LSE-C"),
        (
            verdict_of(verdict="inconclusive", cases="smoke"),
            "failure",
            "no rule could be asked of 'smoke' cases; the full suite can: /penstock verify full",
        ),
    ],
)
def test_a_verdict_as_a_status(bundle: Bundle, verdict: Verdict, state: str, words: str) -> None:
    assert quick_state(TRIED, verdict) == (state, words)
    assert len(short(words)) <= MAX_DESCRIPTION
    bundle.write_verdict(verdict)
    found = run_status(bundle, "Failed" if state == "failure" and verdict.verdict == "pass" else "Completed", "", LINKS)
    assert (found.state, found.target_url) == (state, "https://book.example/r")
    assert headline(bundle, "Completed").endswith(f"1.1.0: {words}")
    assert message(bundle, "Completed").tone == quick_told(verdict).tone


def test_a_run_that_broke_is_an_error_with_its_reason(bundle: Bundle) -> None:
    assert run_status(bundle, "Failed", "it cannot be merged into 'main'").state == "error"
    bundle.write_verdict(verdict_of(rule("pass"), verdict="pass"))
    broke = run_status(bundle, "Failed", "broke in the step archive")
    assert (broke.state, broke.description, broke.target_url) == ("error", "broke in the step archive", "")


def test_what_was_left_out_is_said() -> None:
    verdict = verdict_of(rule(), cases="smoke", not_asked=LEFT)
    text = markdown_summary(TRIED, verdict)
    assert "A short run: only the cases 'smoke'" in text
    assert "FID, KID (a value of the whole suite); web page (only a release tries it)." in text
    assert "first release" not in text
    undecided = markdown_summary(TRIED, verdict_of(OPEN, verdict="inconclusive", cases="smoke"))
    assert "Nothing worse was shown on these few cases; the full suite decides it" in undecided
    worse = markdown_summary(TRIED, verdict_of(OPEN, WORSE, verdict="inconclusive", cases="smoke"))
    assert "It looks worse by LSE-D; the full suite decides it" in worse
    assert "A short run" not in markdown_summary(RUN, verdict_of(rule()))


def test_the_comment_has_the_worst_case_its_videos_and_links(bundle: Bundle) -> None:
    bundle.write_verdict(verdict_of(rule(maximum=9.0, better="lower")))
    text = comment_text(bundle, "Completed", links=LINKS)
    assert text.startswith("<!-- penstock: verify -->\n## sonic 1.1.0: rejected")
    assert "Worst case: **a b**: LSE-D 10.500" in text
    assert "[output.mp4](<https://evidence.example/pulls/sonic/7/run/outputs/a%20b/output.mp4>)" in text
    assert "[report](<https://book.example/r>)" in text
    assert "![" not in text
    (bundle.path / "report" / "pictures").mkdir(parents=True)
    (bundle.path / "report" / "pictures" / "worst.png").write_bytes(b"png")
    assert "![a b](<https://evidence.example/pulls/sonic/7/run/report/pictures/worst.png>)" in comment_text(
        bundle, "Completed", links=LINKS
    )
    picture = NoticeLink("picture", "https://pictures.example/7.png")
    assert "![a b](<https://pictures.example/7.png>)" in comment_text(bundle, links=LINKS, picture=picture)


def test_without_links_there_is_the_name_and_the_number_alone(bundle: Bundle) -> None:
    bundle.write_verdict(verdict_of(rule(maximum=9.0, better="lower")))
    assert worst_lines(bundle, None, ()) == ["", "Worst case: **a b**: LSE-D 10.500", ""]
    assert link_line(()) == ""


def test_where_nothing_is_worse_there_is_a_case_to_look_at_all_the_same(bundle: Bundle) -> None:
    bundle.write_verdict(verdict_of(rule("pass", maximum=11.0, better="lower"), verdict="pass"))
    told = "".join(worst_lines(bundle, None, LINKS))
    assert told.startswith("A case to look at: **a b**: LSE-D 10.500")
    assert "output.mp4" in told


def test_the_comment_of_a_run_that_knows_no_model_is_the_same_one() -> None:
    assert marker(TRIED) == marker(TRIED.model_copy(update={"model": ""})) == "<!-- penstock: verify -->"


def test_the_comment_names_what_is_weaker_and_nobody(bundle: Bundle) -> None:
    bundle.write_verdict(verdict_of(rule("pass"), verdict="pass", weakened=[WEAKER]))
    comment = comment_text(bundle, "Completed", links=LINKS)
    assert "Its policy asks less than that of the current release: own" in comment
    said = comment.split("Its policy asks")[1].split("\n")[0]
    assert "\\[x\\](" in said, "no link"
    assert "evil.example" in said
    assert "://evil" not in said
    assert "@all" not in comment
