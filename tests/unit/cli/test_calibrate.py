"""``penstock calibrate`` on finished bundles, and what is refused before anything runs."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.bisect.histories import measurements, write_bundle

from penstock.cli.app import main
from penstock.cli.calibrate import calibrate
from penstock.gating.calibration import read_calibration


def bundles(folder: Path, count: int = 3) -> list[str]:
    made = []
    for number in range(count):
        values = {"a": 7.0 + 0.1 * number, "b": 8.0 - 0.2 * number}
        path = folder / f"run-{number}"
        write_bundle(path, "c" * 40, measurements("sharpness", values), run_id=f"run-{number}").seal()
        made += ["--bundle", str(path)]
    return made


def test_figures_of_finished_bundles(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert calibrate.__doc__
    file = tmp_path / "noise.json"
    assert main(["calibrate", *bundles(tmp_path), "--file", str(file), "--level", "0.05"]) == 0
    assert "sharpness" in capsys.readouterr().out
    noise = read_calibration(file).of("sharpness", None)
    assert noise is not None
    assert noise.noise > 0


@pytest.mark.parametrize("options", [["--repo", ".", "--revision", "x", "--runs", "1"], ["--bundle", "gone"], []])
def test_bad_usage_leaves_no_file(tmp_path: Path, options: list[str]) -> None:
    file = tmp_path / "noise.json"
    assert main(["calibrate", *options, "--file", str(file), "--out", str(tmp_path / "out")]) == 2
    assert not file.exists()
