"""A file of qualities, and what is said of it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tests.unit.families.face.comparisons import write_qualities

from penstock.families.face.quality_file import (
    MOST_POINTS,
    WRONG_WAY,
    Qualities,
    quality_content,
    quality_lines,
    read_qualities,
)
from penstock.foundation.errors import UsageError
from penstock.metrics.quality import accepted_ood95, auroc, discard_curve, fpr95
from penstock.metrics.wilson import wilson


def test_values_of_a_file(tmp_path: Path) -> None:
    found = read_qualities(write_qualities(tmp_path / "q.csv"))
    content = quality_content(found)
    assert content["auroc"] == auroc(found.quality, found.ood)
    assert content["fpr95"] == fpr95(found.quality, found.ood)
    assert content["accepted_ood95"] == accepted_ood95(found.quality, found.ood)
    curve = discard_curve(found.quality, found.error)
    assert content["discard_area"] == curve.area
    assert content["discard"][0] == [0, found.error.mean(), found.quality.min()]
    assert (content["n"], content["n_ood"], content["discard_of"], content["positive"]) == (100, 40, "error", "ood")
    assert content["error_at"]["0.1"] == curve.at(0.1)
    usable = found.quality[~found.ood]
    assert content["bands"]["pass"]["usable"] == {
        "n": (usable >= 0.8).sum(),
        "share": (usable >= 0.8).mean(),
        "interval": wilson((usable >= 0.8).sum() / 60, 60),
    }
    assert sum(band["ood"]["n"] for band in content["bands"].values()) == 40
    assert content["bands"]["refuse"]["error"] == found.error[found.quality < 0.4].mean()


def test_without_errors_the_curve_is_of_what_is_out_of_distribution(tmp_path: Path) -> None:
    found = read_qualities(write_qualities(tmp_path / "q.csv", errors=False))
    content = quality_content(found)
    assert content["discard_of"] == "ood"
    assert content["discard"][0][1] == 0.4
    assert "error" not in content["bands"]["pass"]


def test_a_score_without_a_bound_has_no_bands(tmp_path: Path) -> None:
    content = quality_content(read_qualities(write_qualities(tmp_path / "q.csv", highest=3.0)))
    assert content["bands"] is None
    assert "is outside 0 to 1, which the bands divide" in content["reasons"]["bands"]
    assert any("outside 0 to 1" in line for line in quality_lines(content))


def test_errors_have_a_sum(tmp_path: Path) -> None:
    file = tmp_path / "q.csv"
    for error in ("1e308", "-1.1e9"):
        file.write_text(f"quality,ood,error\n0.5,0,1\n0.6,1,{error}\n0.7,0,1e308\n")
        with pytest.raises(UsageError, match=r"q\.csv:3: error: -?1.*e\+\d+ is outside -1e9 to 1e9"):
            read_qualities(file)
    file.write_text("quality,ood,error\n0.5,0,1e9\n0.6,1,1e9\n0.7,0,-1e9\n")
    assert quality_content(read_qualities(file))["error_at"]["0"] == pytest.approx(1e9 / 3)


def test_one_kind_alone(tmp_path: Path) -> None:
    file = tmp_path / "q.csv"
    file.write_text("quality,ood\n0.5,0\n0.6,0\n")
    with pytest.raises(UsageError, match="all images are in distribution"):
        read_qualities(file)
    file.write_text("quality,ood,error\n0.5,1,1\n0.6,1,0\n")
    content = quality_content(read_qualities(file))
    assert content["auroc"] is content["fpr95"] is None
    assert content["reasons"]["auroc"] == "all images are out of distribution"
    assert content["discard"] == [[0, 0.5, 0.5], [0.5, 0, 0.6]]
    assert "usable" not in content["bands"]["pass"]
    assert content["bands"]["pass"]["error"] is None
    assert quality_lines(content)[0] == "auroc           -  (all images are out of distribution)"


def test_quality_the_wrong_way_round_is_noted() -> None:
    content = quality_content(Qualities(np.array([0.9, 0.1]), np.array([True, False]), None))
    assert content["auroc"] == 0
    assert content["notes"] == [WRONG_WAY]
    assert quality_lines(content)[-1] == f"note: {WRONG_WAY}"


def test_a_long_curve_is_thinned() -> None:
    quality = np.linspace(0, 1, 5000)
    content = quality_content(Qualities(quality, quality < 0.3, None))
    assert len(content["discard"]) == MOST_POINTS
    assert content["discard_area"] == discard_curve(quality, (quality < 0.3).astype(float)).area
