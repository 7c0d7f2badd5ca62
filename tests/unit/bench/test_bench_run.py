"""``make bench`` runs every part, whatever comes of the others, and says what was met."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.bench.run import HERE, PARTS, main


def parts(folder: Path, **codes: int) -> list[str]:
    for name, code in codes.items():
        (folder / f"{name}.py").write_text(f"print('this is {name}', flush=True); raise SystemExit({code})")
    return list(codes)


@pytest.mark.slow
def test_a_missed_target_or_a_broken_part_does_not_end_it(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    names = parts(tmp_path, first=1, second=0, third=3, fourth=0)
    assert main(names, folder=tmp_path) == 1
    out = capfd.readouterr().out
    assert [f"this is {name}" in out for name in names] == [True] * 4
    rows = out.partition("## summary")[2]
    assert "| first | MISSED a target |" in rows
    assert "| second | met |" in rows
    assert "| third | BROKE with exit code 3 |" in rows
    assert "2 of 4 parts met their targets" in rows


def test_all_met_is_exit_code_0(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(parts(tmp_path, one=0), folder=tmp_path) == 0
    assert "1 of 1 parts" in capfd.readouterr().out
    with pytest.raises(SystemExit):
        main(["other"], folder=tmp_path)


def test_every_part_is_there() -> None:
    there = {path.stem for path in HERE.glob("bench_*.py")} - {"bench_cluster"}  # needs a cluster: make bench-cluster
    assert set(PARTS) == there
