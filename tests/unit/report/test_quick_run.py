"""What a verdict on a commit that is not released says of itself, in words and on the page."""

from __future__ import annotations

from pathlib import Path

from tests.unit.report.verdicts import RUN, rule, verdict_of

from penstock.bundle.directory import Bundle
from penstock.bundle.models import Invocation, Measurement
from penstock.bundle.steps import begin
from penstock.bundle.verdict_record import NotAsked, Weakened
from penstock.report.page import write_report
from penstock.report.quick_run import MAX_NAMED, not_asked_words, quick_remarks, weakened_words


def test_a_run_over_everything_has_no_remark() -> None:
    assert quick_remarks(verdict_of(rule())) == []


def test_each_reason_is_said_once() -> None:
    left = [NotAsked(metric="fid", slice=None, why="a"), NotAsked(metric="lse_d", slice="fast", why="b")]
    verdict = verdict_of(not_asked=[*left, NotAsked(metric="kid", slice=None, why="a")])
    assert not_asked_words(verdict) == "FID, KID (a); LSE-D (fast) (b)"
    many = [NotAsked(metric=f"own_{number}", slice=None, why="a") for number in range(MAX_NAMED + 3)]
    assert "and 3 more (a)" in not_asked_words(verdict_of(not_asked=many))


def test_a_weaker_policy_is_said() -> None:
    weaker = [Weakened(metric="lse_d", slice="fast", what="max 9 became 12"), Weakened(what="level 0.05 became 0.4")]
    verdict = verdict_of(rule(), weakened=weaker)
    assert quick_remarks(verdict) == [
        "Its policy asks less than that of the current release: LSE-D (fast): max 9 became 12; level 0.05 became 0.4."
    ]
    many = [Weakened(metric="own", what="only warns")] * (MAX_NAMED + 2)
    assert weakened_words(verdict_of(weakened=many)).endswith("; and 2 more")


def side(folder: Path, run_id: str, cases: tuple[str, ...]) -> Bundle:
    found = Bundle(folder)
    begin(found, run_id=run_id, track="verify")
    found.update_run(RUN.model_copy(update={"run_id": run_id, "track": "verify"}))
    found.write_invocations([Invocation(case=case, status="ok") for case in cases])
    found.write_measurements(Measurement(case=case, metric="lse_d", value=8.0) for case in cases)
    return found


def test_the_page_misses_no_case_that_was_not_run(tmp_path: Path) -> None:
    candidate = side(tmp_path / "candidate", "release-7", ("one",))
    released = side(tmp_path / "released", "release-6", ("one", "other-case"))
    candidate.write_verdict(verdict_of(rule(), cases="smoke"))
    write_report(candidate, released)
    page = (candidate.report / "index.html").read_text(encoding="utf-8")
    assert "other-case" not in page
    assert "A short run: only the cases" in page


def test_the_page_says_why_nothing_was_compared(tmp_path: Path) -> None:
    candidate = side(tmp_path / "candidate", "release-7", ("one",))
    candidate.write_verdict(verdict_of(rule(), baseline=None, uncompared="not compared with 1.0.0: other suites"))
    write_report(candidate, None)
    page = (candidate.report / "index.html").read_text(encoding="utf-8")
    assert "not compared with 1.0.0: other suites" in page
    assert "this is the first release" not in page
