"""Where runs lie, and which names are used up."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.unit.cli.made_runs import made_run

from penstock.foundation.errors import UsageError
from penstock.local_run.run_folder import begin, mark_refused


def test_a_run_lies_where_the_documents_say_and_git_does_not_see_it(out: Path) -> None:
    assert (out / "sonic-1.0.0-a" / "bundle" / "run.json").is_file()
    assert (out / ".gitignore").read_text(encoding="utf-8") == "*\n"


def test_a_directory_with_other_things_in_it_is_not_hidden(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").touch()
    made_run(tmp_path, "a", "1")
    assert not (tmp_path / ".gitignore").exists()


def test_a_name_is_used_up_by_a_run_and_not_by_a_refusal(tmp_path: Path) -> None:
    folder = tmp_path / "runs" / "first"
    begin(folder, {"what": "release", "params": {"revision": "v1"}, "workspaces": {}})
    with pytest.raises(UsageError, match="exists already"):
        begin(folder, {"what": "release", "params": {}, "workspaces": {}})
    (folder / "bundle").mkdir()
    mark_refused(folder)
    begin(folder, {"what": "release", "params": {"revision": "v2"}, "workspaces": {}})
    assert json.loads((folder / "request.json").read_text(encoding="utf-8"))["params"] == {"revision": "v2"}
    assert not (folder / "bundle").exists()
    with pytest.raises(UsageError, match="exists already"):
        begin(folder, {"what": "release", "params": {}, "workspaces": {}})


@pytest.mark.parametrize("name", ["store", "cache", "runs", "bisect"])
def test_names_of_what_lies_beside_the_runs_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match="a run cannot be called"):
        begin(tmp_path / "runs" / name, {})
