"""Inputs are proven whole before a model starts: a bad suite is not a bad model."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from penstock.bundle.directory import Bundle
from penstock.bundle.steps import begin
from penstock.evaluation.plan import plan
from penstock.foundation.errors import UsageError


@pytest.fixture
def planned_for(bundle: Bundle) -> Bundle:
    begin(bundle, run_id="r", track="release")
    return bundle


def break_missing(path: Path) -> None:
    (path / "face.png").unlink()


def break_empty(path: Path) -> None:
    (path / "speech.wav").write_bytes(b"")


def break_truncated(path: Path) -> None:
    data = (path / "face.png").read_bytes()
    (path / "face.png").write_bytes(data[: len(data) // 2])


def break_truncated_sound(path: Path) -> None:
    data = (path / "speech.wav").read_bytes()
    (path / "speech.wav").write_bytes(data[: len(data) // 2])


def break_not_media(path: Path) -> None:
    (path / "face.png").write_text("#!/bin/sh\n", encoding="utf-8")


def break_fifo(path: Path) -> None:
    (path / "face.png").unlink()
    os.mkfifo(path / "face.png")


def break_link(path: Path) -> None:
    (path / "face.png").unlink()
    (path / "face.png").symlink_to("/etc/passwd")


def break_no_sound(path: Path) -> None:
    soundfile.write(path / "speech.wav", np.zeros(0, np.int16), 16_000)


@pytest.mark.parametrize(
    "harm",
    [
        break_missing,
        break_empty,
        break_truncated,
        break_truncated_sound,
        break_not_media,
        break_fifo,
        break_link,
        break_no_sound,
    ],
)
def test_broken_suite_is_found_before_the_model_starts(
    repository, planned_for: Bundle, harm: Callable[[Path], None]
) -> None:
    harm(repository.path / "suite")
    with pytest.raises(UsageError) as caught:
        plan(repository.contract(), repository.suite("a"), repository.path, planned_for, cache=None)
    assert caught.value.exit_code == 2
    assert "suite" in caught.value.where
    assert str(repository.path) not in str(caught.value)
    assert planned_for.run().inference is None
    if harm is not break_link:
        assert "case 'case-0' in suite/suite.yaml" in caught.value.where


@pytest.mark.parametrize("content", [b"", b"<html>404</html>", b"version https://git-lfs.github.com/spec/v1\n"])
def test_broken_reference_is_found_before_the_model_starts(repository, planned_for: Bundle, content: bytes) -> None:
    (repository.path / "suite" / "reference" / "1.png").write_bytes(content)
    contract = repository.contract(extractors=True)
    with pytest.raises(UsageError) as caught:
        plan(contract, repository.suite("a"), repository.path, planned_for, cache=None)
    assert caught.value.where == "suite/reference/1.png ('reference' in suite/suite.yaml)"
    assert planned_for.run().inference is None


def test_silence_in_the_suite_is_told(repository, planned_for: Bundle, caplog: pytest.LogCaptureFixture) -> None:
    plan(repository.contract(), repository.suite("a"), repository.path, planned_for, cache=None)
    assert not caplog.messages
    soundfile.write(repository.path / "suite" / "speech.wav", np.zeros(16_000, np.int16), 16_000)
    plan(repository.contract(), repository.suite("a"), repository.path, planned_for, cache=None)
    (message,) = caplog.messages
    assert message.startswith("suite/speech.wav (input 'audio' of case 'case-0'")
    assert "the sound is silent" in message
