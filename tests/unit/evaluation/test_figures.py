"""What a family draws of the suite as a whole is written once, and costs no run its measurements."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from penstock.bundle.directory import Bundle
from penstock.bundle.figures_record import FIGURES_FILE, Axis, Figure, Figures, Group, HistogramFigure, read_figures
from penstock.contract.models import Case
from penstock.evaluation.figures import draw_figures
from penstock.evaluation.measurer import Answer
from penstock.families.registry import default_family, family

CASES = [Case.model_validate({"name": name, "inputs": {"image": "a.png"}}) for name in "ab"]
ANSWERS = [Answer(features=1), Answer(features=2)]
PLAIN = family(default_family())
DRAWS = replace(PLAIN, figures=f"{__name__}:draws")


def draws(cases: Sequence[Case], answers: Sequence[Answer], released: Sequence[Answer] | None) -> Iterator[Figure]:
    before = [answer.features for answer in released] if released is not None else []
    groups = [Group(name="now", counts=[answer.features for answer in answers]), Group(name="before", counts=before)]
    yield HistogramFigure(name="h", title=f"{len(cases)} cases", x=Axis(title="x"), groups=groups)


def fails(*_: object) -> Iterator[Figure]:
    yield HistogramFigure(name="h", title="H", x=Axis(title="x"), groups=[])
    raise ZeroDivisionError("a vector\nof nothing")


@pytest.mark.parametrize("before", [None, Answer(features=3)])
def test_all_answers_are_at_hand(tmp_path: Path, before: Answer | None) -> None:
    bundle = Bundle(tmp_path)
    draw_figures(DRAWS, bundle, CASES, ANSWERS, [before, before])
    (figure,) = read_figures(bundle).figures
    assert isinstance(figure, HistogramFigure)
    assert figure.title == "2 cases"
    assert [group.counts for group in figure.groups] == [[1, 2], [3, 3] if before else []]


def test_a_drawing_that_fails_is_a_note(tmp_path: Path) -> None:
    draw_figures(replace(PLAIN, figures=f"{__name__}:fails"), Bundle(tmp_path), CASES, ANSWERS, [None, None])
    said = "The figures cannot be drawn: ZeroDivisionError: a vector of nothing"
    assert read_figures(Bundle(tmp_path)) == Figures(note=said)


def test_a_family_that_draws_nothing_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / FIGURES_FILE).write_text("of another run")
    draw_figures(PLAIN, Bundle(tmp_path), CASES, ANSWERS, [None, None])
    assert list(tmp_path.iterdir()) == []
