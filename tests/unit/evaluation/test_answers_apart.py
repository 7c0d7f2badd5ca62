"""Two answers to one case: within the limits, or why not."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from penstock.evaluation.answers_apart import MAX_FAULT, answers_apart, one_cut_line
from penstock.foundation.errors import UsageError

FOUND: dict[str, float] = {}
HERE = f"{__name__}:compare"


def compare(_one: Mapping[str, Path], _other: Mapping[str, Path], _given: Mapping[str, object]) -> dict[str, float]:
    if "odd" in FOUND:
        raise UsageError("one of them is\nno answer")
    return FOUND


@pytest.fixture(autouse=True)
def _here(monkeypatch: pytest.MonkeyPatch) -> None:
    FOUND.clear()
    monkeypatch.setattr("penstock.evaluation.answers_apart.load", lambda _: compare)


@pytest.mark.parametrize(
    ("found", "fault"),
    [
        ({"text": 0.2, "boxes": 0.1}, None),
        ({"text": 0.2 * (1 + 1e-13), "boxes": 0.0}, None),
        ({"text": 0.25, "boxes": 0.0}, "text is 0.25, over the limit of 0.2"),
        ({"text": 0.3, "boxes": 0.5}, "text is 0.3, over the limit of 0.2; boxes is 0.5, over the limit of 0.1"),
        ({"text": float("nan"), "boxes": 0.0}, "the answers differ by no finite number"),
        ({"odd": 1.0}, "one of them is no answer"),
        ({"text": 0.0}, "the answers cannot be compared: KeyError: 'boxes'"),
    ],
)
def test_limits(found: dict[str, float], fault: str | None) -> None:
    FOUND.update(found)
    assert answers_apart(HERE, {"text": 0.2, "boxes": 0.1}, {}, {}, {}).fault == fault


def test_what_a_model_says_stays_in_one_line() -> None:
    assert one_cut_line("a\n b" * 1000).startswith("a ba b")
    assert len(one_cut_line("x" * 1000)) == MAX_FAULT
