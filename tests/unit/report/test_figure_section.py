"""What the page shows of the suite as a whole, and that nothing of it is believed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from penstock.bundle.directory import Bundle
from penstock.bundle.figures_record import (
    Axis,
    CurveFigure,
    Figure,
    Figures,
    Group,
    HistogramFigure,
    MatrixFigure,
    PairsFigure,
    PairSide,
    PicturePair,
    write_figures,
)
from penstock.contract.models import Case
from penstock.report import figure_section as module
from penstock.report.case_files import CaseFiles
from penstock.report.figure_section import FigureSection, figure_section

AXES = {"x": Axis(title="x"), "y": Axis(title="y")}
CURVE = CurveFigure(name="c", title="C", points=[(0.0, 1.0)], **AXES)
PAIR = PicturePair(
    first=PairSide(case="ann", input="image", who="Ann"),
    second=PairSide(case="bob", input="image"),
    expected="two people",
    said="0.9: accepted, wrongly",
)


def bundle(folder: Path, *figures: Figure, note: str = "") -> Bundle:
    folder.mkdir(parents=True, exist_ok=True)
    write_figures(Bundle(folder), Figures(figures=list(figures), note=note))
    return Bundle(folder)


def section(mine: Bundle, other: Bundle | None = None, **more: Any) -> FigureSection:
    found = figure_section(mine, other, more.get("cases", ["ann"]), {}, more.get("source"))
    assert found is not None
    return found


def test_bundles_without_figures_have_no_section(tmp_path: Path) -> None:
    assert figure_section(Bundle(tmp_path), None, [], {}, None) is None
    assert figure_section(bundle(tmp_path), None, [], {}, None) is None
    assert section(bundle(tmp_path, note="they cannot be drawn")).note == "they cannot be drawn"


def test_figures_of_one_name_lie_over_each_other(tmp_path: Path) -> None:
    mine = bundle(tmp_path / "new", CURVE, HistogramFigure(name="h", title="H", x=AXES["x"], groups=[]))
    old = bundle(tmp_path / "old", CURVE, CurveFigure(name="h", title="was a curve", points=[], **AXES))
    found = section(mine, old)
    assert found.beside
    assert [len(each.chart.curves) for each in found.curves] == [2]
    assert [each.title for each in found.histograms] == ["H"]
    before = section(mine, Bundle(tmp_path / "older"))
    assert not before.beside
    assert [len(each.chart.curves) for each in before.curves] == [1]


def test_shades_of_a_matrix(tmp_path: Path) -> None:
    values = [[0.912, -0.1, None], [0.5, 1.0, 0.004]]
    figure = MatrixFigure(name="m", title="M", rows=["a", "b"], columns=["a", "b", "c"], values=values, wrong=[(0, 1)])
    (matrix,) = section(bundle(tmp_path, figure)).matrices
    cells = [cell for _, row in matrix.rows for cell in row]
    assert [cell.text for cell in cells] == [".91", "-.10", "–", ".50", "1.00", ".00"]
    assert [cell.level for cell in cells] == [7, 0, 0, 4, 7, 0]
    assert [place for place, cell in enumerate(cells) if cell.wrong] == [1]
    flat = MatrixFigure(name="m", title="M", rows=["a"], columns=["a"], values=[[0.5]], wrong=[(7, 7)])
    (matrix,) = section(bundle(tmp_path, flat)).matrices
    assert matrix.rows[0][1][0].level == 0


class Files:
    """A suite of one case."""

    def __init__(self, image: Path) -> None:
        self.image = image

    def of(self, name: str) -> CaseFiles | None:
        case = Case.model_validate({"name": "ann", "inputs": {"image": "a.png"}})
        return CaseFiles({"image": self.image}, {}, {}, case) if name == "ann" else None


def test_pictures_of_a_pair(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    image = tmp_path / "a.png"
    cv2.imwrite(str(image), np.full((600, 300, 3), 90, np.uint8))
    monkeypatch.setattr(module, "suite_files", lambda bundle, source: Files(image))
    mine = bundle(tmp_path / "new", PairsFigure(name="p", title="P", pairs=[PAIR, PAIR]))
    ((first, second),) = {tuple(drawn.sides) for drawn in section(mine, source=tmp_path).pairs[0].pairs}
    assert first.thumb is not None
    assert (first.thumb.width, first.thumb.height, first.place) == (120, 240, 0)
    assert (second.thumb, second.place, second.reason) == (None, None, "the suite's files are not at hand")
    image.write_bytes(b"<svg/>")
    (pair, _) = section(mine, source=tmp_path).pairs[0].pairs
    assert "not a whole PNG, JPEG or WebP" in pair.sides[0].reason
    (pair, _) = section(mine).pairs[0].pairs
    assert pair.sides[0].reason == "the suite's files are not at hand"


def test_rows_of_a_histogram_may_be_new(tmp_path: Path) -> None:
    new = HistogramFigure(
        name="h", title="H", x=AXES["x"], groups=[Group(name="a", counts=[1]), Group(name="b", counts=[1])]
    )
    old = HistogramFigure(name="h", title="H", x=AXES["x"], groups=[Group(name="a", counts=[2])])
    (drawn,) = section(bundle(tmp_path / "new", new), bundle(tmp_path / "old", old)).histograms
    assert [bool(row.baseline) for row in drawn.rows] == [True, False]
