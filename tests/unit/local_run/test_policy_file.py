"""A metric that is misspelt in a policy of its own is told with file and line, whichever command reads it."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.cli.made_runs import made_run

from penstock.cli.app import main

UNKNOWN = "rules:\n  - {metric: sharpness, min: 8}\n  - {metric: lse-d, max: 9}\n"
NO_DIRECTION = "rules:\n  - {metric: sharpness, min: 8}\n  - {metric: lse-d, margin: 5%}\n"
FIELD = "rules:\n  - {metrik: sharpness, min: 8}\n"


@pytest.fixture
def policy(tmp_path: Path) -> Path:
    return tmp_path / "policy.yaml"


def commands(tmp_path: Path, policy: Path) -> list[list[str]]:
    bundle = str(made_run(tmp_path / "runs", "a", "1").path)
    return [
        ["gate", "--candidate", bundle, "--policy", str(policy)],
        ["compare", bundle, bundle, "--policy", str(policy)],
        ["calibrate", "--bundle", bundle, "--bundle", bundle, "--policy", str(policy), "--file", str(tmp_path / "c")],
    ]


def test_a_metric_that_comes_near_a_known_one(tmp_path: Path, policy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for command in commands(tmp_path, policy):
        policy.write_text(UNKNOWN, encoding="utf-8")
        main(command)
        said = capsys.readouterr().err
        assert f"{policy}:3: rules[1].metric: unknown metric 'lse-d'. Did you mean 'lse_d'?" in said, command
        policy.write_text(NO_DIRECTION, encoding="utf-8")
        assert main(command) == 2
        said = capsys.readouterr().err
        assert f"error: {policy}:3: rules[1].metric: unknown metric 'lse-d'. Did you mean 'lse_d'?" in said, command


def test_a_field_that_comes_near_a_known_one(tmp_path: Path, policy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    policy.write_text(FIELD, encoding="utf-8")
    for command in commands(tmp_path, policy):
        assert main(command) == 2
        said = capsys.readouterr().err
        assert f"{policy}:2: rules[0].metrik: unknown field 'metrik'. Did you mean 'metric'?" in said, command
