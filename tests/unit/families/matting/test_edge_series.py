"""What a viewer needs of an answer's edge."""

from __future__ import annotations

import json

import numpy as np
import pytest

from penstock.families.matting.edge_series import MAX_POINTS, edge_series


def square(side: int = 120) -> np.ndarray:
    matte = np.zeros((side, side))
    matte[20:100, 20:100] = 1
    return matte


def test_the_worst_point_is_found_on_either_side() -> None:
    truth = square()
    missing = truth.copy()
    missing[:, 80:] = 0
    found = edge_series(missing, truth)["worst_edge"]
    assert (found["edge"], found["distance"], found["at"][0]) == ("truth", 20.0, 99)
    speck = truth.copy()
    speck[60, 115] = 1
    assert edge_series(speck, truth)["worst_edge"] == {"at": [115, 60], "distance": 16.0, "edge": "answer"}


def test_runs_say_where_the_true_edge_holds() -> None:
    truth = square()
    missing = truth.copy()
    missing[60:] = 0
    found = edge_series(missing, truth)
    assert found["size"] == [120, 120]
    runs = {run["usable"]: run["points"] for run in found["edge_runs"]}
    assert max(row for _, row in runs[True]) < 65
    assert max(row for _, row in runs[False]) == 99
    json.dumps(found)


def test_without_an_edge_there_is_nothing_to_draw() -> None:
    assert edge_series(np.zeros((9, 9)), square(9) * 0) == {"size": [9, 9], "edge_runs": []}
    assert "worst_edge" not in edge_series(np.zeros((120, 120)), square())


@pytest.mark.slow
def test_noise_does_not_fill_the_bundle() -> None:
    noise = np.random.default_rng(1).integers(0, 2, (600, 600)).astype(np.float64)
    found = edge_series(noise, noise)
    assert sum(len(run["points"]) for run in found["edge_runs"]) <= MAX_POINTS
