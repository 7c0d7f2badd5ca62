"""A run that broke says which step it was, and why, or how far it came."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.bundle.failing_step import run
from tests.unit.bundle.test_export_record import RECORD

from penstock.bundle.directory import Bundle
from penstock.bundle.export_record import write_export_record
from penstock.notices import message as messages
from penstock.notices.message import headline, message


def test_a_failed_step_is_named_with_its_reason(bundle: Bundle) -> None:
    assert run(bundle, "--error=S3 cannot be reached") == 4
    assert message(bundle, "Failed").text == "s3://evidence: S3 cannot be reached. Try again."
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
    assert message(pair[0], "Succeeded").title == "sonic-lite 1: rejected"
    assert "broke" in message(pair[1], "Failed").title
    assert "broke before" in message(Bundle(tmp_path / "nothing"), "Failed").title


def test_a_run_without_a_verdict_says_that_the_exported_file_would_not_be_used(bundle: Bundle) -> None:
    assert "exported" not in message(bundle, "Succeeded").text
    (bundle.path / "export").mkdir()
    write_export_record(bundle, RECORD)
    said = "The exported file would not be used (USE_ONNX=false): mae is 0.1, over the limit of 0.005."
    assert message(bundle, "Succeeded").text.endswith(said)
    write_export_record(bundle, RECORD.model_copy(update={"use_onnx": True, "fault": None}))
    assert "exported" not in message(bundle, "Succeeded").text
