"""A run that broke says which step it was, and why, or how far it came."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.bundle.failing_step import run
from tests.unit.bundle.test_export_record import RECORD
from tests.unit.report.verdicts import ALL, FIRST, RUN, rule, verdict_of

from penstock.bundle.directory import Bundle
from penstock.bundle.export_record import write_export_record
from penstock.bundle.verdict_record import Verdict
from penstock.notices import message as messages
from penstock.notices.message import headline, message
from penstock.notices.notice import NoticeLink


def test_a_failed_step_is_named_with_its_reason(bundle: Bundle) -> None:
    assert run(bundle, "--error=S3 cannot be reached") == 4
    assert message(bundle, "Failed").why == "s3://evidence: S3 cannot be reached. Try again."
    line = "release run run-1 broke in the step archive: s3://evidence: S3 cannot be reached. Try again."
    assert headline(bundle, "Failed") == line


def test_a_broken_run_without_a_word_says_how_far_it_came(bundle: Bundle, monkeypatch: pytest.MonkeyPatch) -> None:
    said = headline(bundle, "Failed")
    assert said.startswith(
        "release run run-1 broke: No step finished. The one after it left no word: its pod was deleted"
    )
    monkeypatch.setattr(messages, "NEARLY_NOTHING_BYTES", 1 << 60)
    assert "The volume 'work' is full. Free space on it, or use a larger one." in headline(bundle, "Failed")
    assert headline(Bundle(bundle.path / "nothing"), "Failed").startswith(
        "Penstock: the run broke before the repository was cloned: The step clone left no word"
    )


def test_messages_also_speak_of_a_broken_run(pair: tuple[Bundle, Bundle], tmp_path: Path) -> None:
    assert message(pair[0], "Succeeded").what == "sonic-lite 1: rejected"
    assert "broke" in message(pair[1], "Failed").what
    assert "broke before" in message(Bundle(tmp_path / "nothing"), "Failed").what


def test_a_run_without_a_verdict_says_that_the_exported_file_would_not_be_used(bundle: Bundle) -> None:
    assert "exported" not in message(bundle, "Succeeded").why
    (bundle.path / "export").mkdir()
    write_export_record(bundle, RECORD)
    said = "The exported file would not be used (USE_ONNX=false): mae is 0.1, over the limit of 0.005."
    assert message(bundle, "Succeeded").why.endswith(said)
    write_export_record(bundle, RECORD.model_copy(update={"use_onnx": True, "fault": None}))
    assert "exported" not in message(bundle, "Succeeded").why


# what a verdict says to a person

LINKS = (NoticeLink("report", "https://reports.example.org/7"),)


def said(bundle: Bundle, verdict: Verdict, status: str = "Succeeded", track: str = "release") -> list[str]:
    bundle.update_run(RUN.model_copy(update={"track": track, "notes": "a new vocoder"}))
    bundle.write_verdict(verdict)
    found = message(bundle, status, LINKS)
    assert found.links == LINKS
    return [found.tone, found.what, found.why, *found.details]


def test_a_rejected_one_says_which_rule_stopped_it_and_what_to_do(bundle: Bundle) -> None:
    tone, what, why, *details = said(bundle, ALL)
    assert (tone, what) == ("failure", "sonic 1.1.0: rejected")
    assert why.startswith("KID: LSE-D rose from 7.9 to 9.26. 2 more rules do not hold. Nothing was published.")
    assert why.endswith("Correct the model, and release it under a new version.")
    assert details[-1] == "Release notes: a new vocoder"
    assert len(details) == 7
    assert any("waived until 2026-12-31 by Ada" in line for line in details)
    stops = [line for line in details if line.endswith(("[fail]", "[inconclusive]"))]
    assert stops == details[:2], "what stops it comes first"


def test_an_inconclusive_one_needs_a_person(bundle: Bundle) -> None:
    words = {"predicate": "rose from 7.9 to 8.1, which 8 cases cannot tell from noise", "needed": 40}
    tone, what, why, *_ = said(bundle, verdict_of(rule("inconclusive", **words), verdict="inconclusive"))
    assert (tone, what) == ("warning", "sonic 1.1.0: inconclusive, needs you")
    assert why == (
        "LSE-D rose from 7.9 to 8.1, which 8 cases cannot tell from noise; about 40 cases would settle it. Nothing was "
        "published. Add cases to the suite, or waive the rule in the policy with your name, and run again."
    )


@pytest.mark.parametrize(
    ("status", "track", "published"),
    [
        ("Succeeded", "release", True),
        ("Completed", "release", True),
        ("", "release", False),
        ("Succeeded", "verify", False),
    ],
)
def test_an_accepted_one_says_whether_it_is_published(bundle: Bundle, status: str, track: str, published: bool) -> None:
    passed = verdict_of(rule("pass"), verdict="pass")
    tone, what, why, *_ = said(bundle, passed, status, track)
    assert (tone, what) == ("success", f"sonic 1.1.0: accepted{' and published' if published else ''}")
    assert why.startswith("1 rule holds, compared with release-6. ")
    assert ("current release now" in why) == published
    assert "the first release" in said(bundle, FIRST.model_copy(update={"verdict": "pass"}))[2]


def test_an_accepted_one_with_a_target_is_not_current_yet(bundle: Bundle) -> None:
    bundle.update_run(RUN.model_copy(update={"target": "studio"}))
    bundle.write_verdict(verdict_of(rule("pass"), verdict="pass"))
    found = message(bundle, "Succeeded")
    assert found.what == "sonic 1.1.0: accepted and published"
    assert found.why.endswith("It waits for its target 'studio': penstock promote sonic 1.1.0")


def test_a_run_that_broke_after_its_verdict_was_not_published(bundle: Bundle) -> None:
    tone, what, *_ = said(bundle, verdict_of(rule("pass"), verdict="pass"), "Failed")
    assert (tone, what) == ("failure", "sonic release run release-7 broke")
