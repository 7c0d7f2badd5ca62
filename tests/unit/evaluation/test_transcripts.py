"""What is heard in a run's videos."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from tests.browser.bundles import write_video

from penstock.bundle.directory import Bundle, write_lines
from penstock.bundle.models import Invocation
from penstock.contract.models import Case
from penstock.evaluation.transcripts import transcribe
from penstock.foundation.errors import UsageError, WorldError
from penstock.speech.sounds import Word


class Ears:
    """Hears one word, or is away."""

    name = "ears"

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error
        self.asked = 0

    def words(self, sound: np.ndarray) -> tuple[Word, ...]:
        self.asked += 1
        if self.error is not None:
            raise self.error
        return (Word("bob", 0.0, round(sound.size / 16_000, 1)),)


@pytest.fixture
def bundle(tmp_path: Path) -> Bundle:
    made = Bundle(tmp_path)
    write_video(made.outputs / "a" / "output.mp4", frames=10)
    write_video(made.outputs / "b" / "output.mp4", frames=10, sound=False)
    calls = [
        Invocation(case=case, status=status, output=output)
        for case, status, output in (
            ("a", "ok", "outputs/a/output.mp4"),
            ("b", "ok", "outputs/b/output.mp4"),
            ("c", "failed", None),
        )
    ]
    write_lines(made.invocations_file, calls)
    return made


CASES = [Case(name=name, inputs={}) for name in ("a", "b", "c", "d")]


def lines(bundle: Bundle) -> list[dict[str, object]]:
    text = (bundle.path / "transcripts.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


def test_one_line_an_answer(bundle: Bundle) -> None:
    assert transcribe(bundle, CASES, Ears()) == 1
    heard, silent = lines(bundle)
    assert heard == {"case": "a", "by": "ears", "words": [["bob", 0.0, pytest.approx(0.4, abs=0.11)]]}
    assert silent["case"] == "b"
    assert "words" not in silent
    assert silent["error"]


def test_a_server_that_is_away_is_asked_once_and_stops_nothing(bundle: Bundle) -> None:
    write_video(bundle.outputs / "b" / "output.mp4", frames=10)
    ears = Ears(WorldError("it is away"))
    assert transcribe(bundle, CASES, ears) == 0
    assert [line["error"] for line in lines(bundle)] == ["it is away", "it is away"]
    assert ears.asked == 1
    ears = Ears(UsageError("no words"))
    assert transcribe(bundle, CASES, ears) == 0
    assert ears.asked == 2
