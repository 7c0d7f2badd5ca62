"""Figures come back as they were written; what nobody could draw is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from penstock.bundle.directory import Bundle
from penstock.bundle.figures_record import (
    FIGURES_FILE,
    Axis,
    CurveFigure,
    Figures,
    Group,
    HistogramFigure,
    MatrixFigure,
    PairsFigure,
    PairSide,
    PicturePair,
    read_figures,
    write_figures,
)
from penstock.foundation.errors import UsageError

SIDE = PairSide(case="a", input="image")
ALL = Figures(
    figures=[
        CurveFigure(name="c", title="C", x=Axis(title="x"), y=Axis(title="y"), points=[(0.0, 1.0)]),
        HistogramFigure(name="h", title="H", x=Axis(title="x"), groups=[Group(name="g", counts=[1, 2])]),
        MatrixFigure(name="m", title="M", rows=["r"], columns=["c"], values=[[None]]),
        PairsFigure(name="p", title="P", pairs=[PicturePair(first=SIDE, second=SIDE, expected="one", said="two")]),
    ]
)
CURVE: dict[str, Any] = {"kind": "curve", "name": "c", "title": "C", "x": {"title": "x"}, "y": {"title": "y"}}


def test_written_and_read(tmp_path: Path) -> None:
    bundle = Bundle(tmp_path)
    assert read_figures(bundle) == Figures()  # a bundle of an older version
    write_figures(bundle, ALL)
    assert read_figures(bundle) == ALL


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ('{"figures": [', "not a valid record"),
        ('{"schema_version": 99, "figures": [{"kind": "sphere"}]}', "newer Penstock"),
        ({"figures": [{"kind": "sphere"}]}, "kind"),
        ({"figures": [CURVE | {"points": [[0.0, 1e999]]}]}, "points"),
        ({"figures": [CURVE | {"points": [[0.0, 0.0]] * 2001}]}, "2000 items"),
        ({"figures": [CURVE | {"points": [], "x": {"title": "x", "low": 1.0, "high": 1.0}}]}, "above where it begins"),
        ({"figures": [CURVE | {"points": [], "x": {"title": "x", "scale": "probit"}}]}, "between 0 and 1"),
        ({"figures": [CURVE | {"points": [], "title": "x" * 401}]}, "400 characters"),
        (
            {
                "figures": [
                    {
                        "kind": "histogram",
                        "name": "h",
                        "title": "H",
                        "x": {"title": "x"},
                        "groups": [{"name": "g", "counts": [-1]}],
                    }
                ]
            },
            "greater than or equal to 0",
        ),
    ],
)
def test_what_cannot_be_drawn(tmp_path: Path, content: Any, said: str) -> None:
    text = content if isinstance(content, str) else json.dumps(content)
    (tmp_path / FIGURES_FILE).write_text(text.replace("Infinity", "1e999"), encoding="utf-8")
    with pytest.raises(UsageError, match=said) as caught:
        read_figures(Bundle(tmp_path))
    assert caught.value.where == str(tmp_path / FIGURES_FILE)
