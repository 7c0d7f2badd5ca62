"""The machine of a run: what can move a number is in its record."""

from __future__ import annotations

import os
import platform
from importlib.metadata import version
from pathlib import Path

import pytest

from penstock.bundle.machine import this_machine


def test_what_can_move_a_number_is_recorded() -> None:
    machine = this_machine()
    assert machine.system.startswith(platform.system())
    assert machine.cores == len(os.sched_getaffinity(0))
    assert machine.memory_bytes > 1 << 28
    assert machine.versions["numpy"] == version("numpy")
    assert machine.python == platform.python_version()


def test_machine_without_a_card(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert this_machine().gpu == ""
