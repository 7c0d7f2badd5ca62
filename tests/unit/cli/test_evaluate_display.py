"""The tables of an evaluation."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from penstock.cli.evaluate_display import print_evaluation, print_json
from penstock.gating.by_slice import SliceRow, SliceTable, SliceValue
from penstock.gating.measured import MetricMean, SideMeans
from penstock.local_run.requested_evaluation import Evaluation, FailedCase


def mean(metric: str, slice_name: str | None = None, note: str = "") -> MetricMean:
    return MetricMean(metric, slice_name, "", "lower", None if note else 0.5, None if note else (0.25, 0.75), 2, note)


def test_units_slices_notes_and_hostile_names(capsys: pytest.CaptureFixture[str]) -> None:
    metrics = [mean("hd95"), mean("mae", note="no value for 'a'"), mean("mse", note="no value for 'a'")]
    failed = [FailedCase("new\x1b[2J", f"case-{number}", "lost", program=False) for number in range(22)]
    about = SideMeans("new\x1b[2J", 0.05, metrics, [])
    hair = SliceRow("hair\x1b[2J", 2, 2 / 3, [SliceValue(mean("hd95", "hair"), None)])
    print_evaluation(Evaluation("matting", 3, about, failed, SliceTable(["hd95"], [hair])), Path("out"))
    text = capsys.readouterr().out
    lines = [line.split() for line in text.splitlines()]
    assert ["HD95", "[px]", "0.50", "0.25", "…", "0.75", "2"] in lines
    assert ["hair\\x1b[2J", "2", "67", "%", "0.50"] in lines
    assert ["0.25", "…", "0.75"] in lines
    assert "  all metrics by slice: --json, and the page" in text
    assert "  MAE, MSE: no value for 'a'" in text
    assert "\x1b" not in text
    assert "! and 2 more" in text
    assert "page: out/index.html" in text


@pytest.mark.parametrize(
    ("left_out", "words"), [(0, ""), (1, "! 1 smaller slice is not"), (7, "! 7 smaller slices are not")]
)
def test_slices_that_are_left_out_are_counted(left_out: int, words: str, capsys: pytest.CaptureFixture[str]) -> None:
    hair = SliceRow("hair", 2, 2 / 3, [SliceValue(mean("hd95", "hair"), None)])
    table = SliceTable(["hd95"], [hair], left_out)
    found = Evaluation("matting", 3, SideMeans("new", 0.05, [mean("hd95")], []), [], table)
    print_evaluation(found, None)
    text = capsys.readouterr().out
    assert words in text
    assert ("smaller" in text) == bool(left_out)
    print_json(found, None)
    assert json.loads(capsys.readouterr().out)["by_slice_left_out"] == left_out


def test_a_slice_that_is_called_all_cases_is_told_from_all_cases(capsys: pytest.CaptureFixture[str]) -> None:
    rows = [
        SliceRow(name, 2, 2 / 3, [SliceValue(mean("hd95", name), None)]) for name in (None, "All  cases", "all cases")
    ]
    table = SliceTable(["hd95"], rows)
    print_evaluation(Evaluation("matting", 3, SideMeans("new", 0.05, [mean("hd95")], []), [], table), None)
    lines = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert [line.partition(" 2 67 %")[0] for line in lines if " 2 67 %" in line] == [
        "all cases",
        "slice 'All cases'",
        "slice 'all cases'",
    ]
