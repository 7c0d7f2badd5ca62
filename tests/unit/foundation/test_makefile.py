"""A Python that is too old is told so before anything is installed with it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
OLD = """#!/bin/sh
case "$1" in
  --version) echo "Python 3.9.2" ;;
  -c) exec {python} -c "import sys; sys.version_info = (3, 9, 2); $2" ;;
  *) echo called >> {log}; exit 9 ;;
esac
"""


def made(python: str, tmp_path: Path, *more: str) -> subprocess.CompletedProcess[str]:
    command = ["make", f"PYTHON={python}", f"VENV={tmp_path}/venv", f"DEV={tmp_path}/dev", *more]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("target", ["demo", "test"])
def test_an_old_python_is_refused_by_its_version(tmp_path: Path, target: str) -> None:
    python = tmp_path / "python3.9"
    python.write_text(OLD.format(python=sys.executable, log=tmp_path / "log"), encoding="utf-8")
    python.chmod(0o755)
    done = made(str(python), tmp_path, target)
    assert done.returncode == 2
    assert f"{python} is Python 3.9.2, and Penstock needs Python 3.11 or later: make PYTHON=python3.11" in done.stderr
    assert not (tmp_path / "log").exists()


def test_a_python_that_is_not_there_is_named(tmp_path: Path) -> None:
    done = made("no-such-python", tmp_path, "demo")
    assert "no-such-python is not there, and Penstock needs Python 3.11" in done.stderr


def test_this_python_is_taken(tmp_path: Path) -> None:
    done = made(sys.executable, tmp_path, "--eval=probe: ; $(check-python)", "probe")
    assert (done.returncode, done.stderr) == (0, "")
