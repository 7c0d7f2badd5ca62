"""The commands' own words; what they do is tested with a cluster's API: tests/unit/targets/test_canary_acts.py."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.targets.targets_files import webhook, write_targets

from penstock.cli.app import main
from penstock.cli.canary import abort, pause, resume, status


def test_each_has_an_example() -> None:
    assert all(command.__doc__ and "Example: " in command.__doc__ for command in (status, pause, resume, abort))


def test_a_target_without_a_canary_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = write_targets(tmp_path, hook=webhook())
    assert main(["canary", "status", "hook", "--targets", str(file)]) == 2
    assert "is of the kind 'webhook', which has no canary. There is: none" in capsys.readouterr().err
