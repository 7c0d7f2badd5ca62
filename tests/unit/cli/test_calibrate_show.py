"""What a person is told of a calibration."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.bisect.histories import measurements

from penstock.cli.calibrate_show import FEW_RUNS, margins_too_fine, remarks, show
from penstock.contract.policy import Policy
from penstock.gating.calibration import Calibration
from penstock.gating.measurements import MeasurementSource
from penstock.gating.repeats import calibrate


def calibration(runs: int, spread: float) -> Calibration:
    sides = []
    for number in range(runs):
        shift = spread * (number % 3 - 1)
        lines = measurements("sharpness", dict.fromkeys("abcdef", 9.0 + shift))
        sides.append(MeasurementSource(f"run-{number}", lines))
    return calibrate(sides, level=0.05).calibration


def policy(margin: object) -> Policy:
    return Policy.model_validate({"rules": [{"metric": "sharpness", "margin": margin}]})


def test_few_runs_and_metrics_without_noise_are_told() -> None:
    assert any("roughly" in line for line in remarks(calibration(FEW_RUNS - 1, 1.0), None, []))
    told = remarks(calibration(FEW_RUNS + 1, 0.0), None, ["kid"])
    assert not any("roughly" in line for line in told)
    assert any("sharpness" in line for line in told)
    assert any("kid" in line for line in told)


def test_margin_below_the_noise_is_a_warning() -> None:
    noisy = calibration(6, 1.0)
    assert margins_too_fine(noisy, policy(0.001))
    assert margins_too_fine(noisy, policy("0.01%"))
    assert not margins_too_fine(noisy, policy(100.0))
    assert not margins_too_fine(noisy, policy("0.1 floor"))  # what that is, only the cases say
    assert not margins_too_fine(noisy, None)


def test_table_on_standard_output(capsys: pytest.CaptureFixture[str]) -> None:
    show(calibration(5, 1.0), None, Path("noise.json"), left_out=[], table=True)
    assert "sharpness" in capsys.readouterr().out
    show(calibration(5, 1.0), None, Path("noise.json"), left_out=[], table=False)
    told = capsys.readouterr()
    assert (told.out, "noise.json" in told.err) == ("", True)
