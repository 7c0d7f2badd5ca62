"""The tables of an evaluation."""

from __future__ import annotations

from pathlib import Path

import pytest

from penstock.cli.evaluate_display import print_evaluation
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
