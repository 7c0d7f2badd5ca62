"""``penstock run``: what cannot be run is told before anything is made."""

from __future__ import annotations

from pathlib import Path

import pytest

from penstock.cli.app import main
from penstock.cli.run import run


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["release"], "--repo"),
        (["release", "--repo", ".", "--param", "nonsense"], "nonsense"),
        (["release", "--resume", "no-such-run"], "no-such-run"),
        (["no-such-pipeline.yaml"], "no-such-pipeline.yaml"),
        (["release", "--repo", ".", "--policy-floor", "no-such-floor.yaml"], "no-such-floor.yaml"),
    ],
)
def test_bad_usage_leaves_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], words: str
) -> None:
    assert run.__doc__
    assert main(["run", *arguments, "--out", str(tmp_path / "out")]) == 2
    assert words in capsys.readouterr().err
    assert not list(tmp_path.glob("out/runs/*"))
