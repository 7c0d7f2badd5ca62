"""Which Python a local model gets, as parameters of the pipeline."""

from __future__ import annotations

import venv
from pathlib import Path

import pytest

from penstock.foundation.errors import UsageError
from penstock.local_run.run_python import python_params


def test_named_goes_before_found_and_a_mistake_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("VIRTUAL_ENV", "CONDA_PREFIX"):
        monkeypatch.delenv(name, raising=False)
    for name in ("repository/.venv", "named"):
        venv.create(tmp_path / name, symlinks=True, with_pip=False)
    repository = tmp_path / "repository"
    assert python_params(None) == {}
    assert python_params(repository) == {"python-found": str(repository / ".venv")}
    monkeypatch.chdir(tmp_path)
    assert python_params(repository, "named") == {"python": str(tmp_path / "named")}
    with pytest.raises(UsageError, match="--python"):
        python_params(repository, "gone")
