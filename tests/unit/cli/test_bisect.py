"""``penstock bisect``: what cannot be asked is told before any commit is run."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.sources.source_servers import commit, git, new_repository
from tests.unit.tasks.step_folders import files

from penstock.cli.app import main
from penstock.cli.bisect import bisect


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    path = new_repository(tmp_path / "model")
    commit(path, files(), "good")
    git(path, "tag", "v1")
    commit(path, {"README.md": "x"}, "later")
    return path


@pytest.mark.slow
@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--good", "v1", "--bad", "gone", "--metric", "sharpness"], "gone"),
        (["--good", "main", "--bad", "v1", "--metric", "sharpness"], "ancestor"),
        (["--good", "v1", "--bad", "main", "--metric", "no_such_metric"], "no_such_metric"),
        (["--good", "v1", "--bad", "main", "--metric", "sharpness", "--margin", "lots"], "lots"),
    ],
)
def test_bad_usage(
    repository: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], options: list[str], words: str
) -> None:
    assert bisect.__doc__
    assert main(["bisect", "--repo", str(repository), "--out", str(tmp_path / "out"), *options]) == 2
    assert words in capsys.readouterr().err
